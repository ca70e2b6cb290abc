package io.quantadb.node.cli;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The flags that say how a command proves itself to a node's API over HTTPS. */
final class ClientFiles {
    @Option(names = "--ca", paramLabel = "FILE", description = "ask over HTTPS and trust this ca.crt")
    @Nullable
    Path ca;

    @Option(names = "--cert", paramLabel = "FILE", description = "show this certificate (needs --ca and --key)")
    @Nullable
    Path cert;

    @Option(names = "--key", paramLabel = "FILE", description = "its private key")
    @Nullable
    Path key;

    /** A client that asks with these. */
    ClusterClient client() {
        if ((cert == null) != (key == null) || (cert != null && ca == null)) {
            throw new Failure(
                    ExitCode.CONFIG,
                    "--cert needs --key and --ca",
                    "name all three; quantadb init --viewer makes them");
        }
        return ca == null || cert == null || key == null ? new ClusterClient(ca) : ClusterClient.showing(ca, cert, key);
    }
}
