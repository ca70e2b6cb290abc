package io.quantadb.node.postgres;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * PostgreSQL's {@code postmaster.pid}: line 1 is the process id, line 8 what the postmaster is doing ({@code starting},
 * {@code stopping}, {@code ready}, {@code standby}). Reading it tells readiness without a connection, so that a server
 * in recovery does not log a refused connection every few milliseconds.
 */
record PidFile(long pid, String status) {
    static final String NAME = "postmaster.pid";

    /** Empty when the file is absent or only partly written. */
    static Optional<PidFile> read(Path dataDirectory) {
        try {
            List<String> lines = Files.readAllLines(dataDirectory.resolve(NAME));
            if (lines.isEmpty()) {
                return Optional.empty();
            }
            // A stand-alone backend writes its id negative.
            long pid = Math.abs(Long.parseLong(lines.getFirst().strip()));
            return Optional.of(
                    new PidFile(pid, lines.size() < 8 ? "" : lines.get(7).strip()));
        } catch (IOException | NumberFormatException e) {
            return Optional.empty();
        }
    }

    boolean takesConnections() {
        return status.equals("ready");
    }
}
