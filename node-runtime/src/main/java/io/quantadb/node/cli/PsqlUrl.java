package io.quantadb.node.cli;

import io.quantadb.node.common.HostPort;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Makes the one URL that follows the primary: every node's primary listener, the first that takes writes wins. */
final class PsqlUrl {
    private PsqlUrl() {}

    /**
     * @param passfile absolute file in libpq's .pgpass form; null leaves the password to the user
     * @param rootCertificate absolute PEM file of the CA that the nodes' certificates are checked against, with their
     *     names; null for TLS with whoever answers
     */
    static String of(
            List<HostPort> primaryListeners, String user, @Nullable Path passfile, @Nullable Path rootCertificate) {
        String hosts = primaryListeners.stream().map(HostPort::toString).collect(Collectors.joining(","));
        StringBuilder url =
                new StringBuilder("postgresql://%s@%s/postgres?target_session_attrs=read-write&connect_timeout=2"
                        .formatted(encoded(user), hosts));
        if (rootCertificate == null) {
            url.append("&sslmode=prefer");
        } else {
            url.append("&sslmode=verify-full&sslrootcert=").append(path(rootCertificate));
        }
        return passfile == null
                ? url.toString()
                : url.append("&passfile=").append(path(passfile)).toString();
    }

    private static String path(Path file) {
        return encoded(file.toString()).replace("%2F", "/");
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
