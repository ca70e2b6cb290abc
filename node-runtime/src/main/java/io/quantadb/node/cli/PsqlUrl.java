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

    /** @param passfile absolute file in libpq's .pgpass form; null leaves the password to the user */
    static String of(List<HostPort> primaryListeners, String user, @Nullable Path passfile) {
        String hosts = primaryListeners.stream().map(HostPort::toString).collect(Collectors.joining(","));
        String url = "postgresql://%s@%s/postgres?target_session_attrs=read-write&connect_timeout=2&sslmode=prefer"
                .formatted(encoded(user), hosts);
        return passfile == null
                ? url
                : url + "&passfile=" + encoded(passfile.toString()).replace("%2F", "/");
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
