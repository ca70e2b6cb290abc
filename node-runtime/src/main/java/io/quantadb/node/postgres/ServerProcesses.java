package io.quantadb.node.postgres;

import io.quantadb.node.common.IoReason;
import io.quantadb.node.common.NodeException.LocalFault;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * The processes of the server on one data directory, whoever started them. A postmaster killed with -9 leaves backends
 * that hold its shared memory, may still write WAL, and keep a new one from starting.
 *
 * <p>On Linux a process belongs here when it runs an executable called postgres in this working directory: the
 * postmaster changes into the data directory and its children inherit that. Elsewhere only the process of the pid file
 * is known.
 */
final class ServerProcesses {
    private static final Path PROC = Path.of("/proc");

    private final Path dataDirectory;

    ServerProcesses(Path dataDirectory) {
        this.dataDirectory = dataDirectory;
    }

    /** Process ids, each checked just now. */
    List<Long> list() {
        if (!Files.isDirectory(PROC.resolve("self"))) {
            return recordedPostmaster().stream()
                    .filter(ServerProcesses::runsPostgres)
                    .boxed()
                    .toList();
        }
        var found = new ArrayList<Long>();
        Path real = realDataDirectory();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(PROC, "[0-9]*")) {
            for (Path process : all) {
                if (isOurs(process, real)) {
                    found.add(Long.valueOf(process.getFileName().toString()));
                }
            }
        } catch (IOException e) {
            throw new LocalFault("cannot list processes in /proc: " + IoReason.of(e), e);
        }
        return found;
    }

    /** The postmaster that the pid file names, if it runs and is one of ours. */
    OptionalLong livingPostmaster() {
        OptionalLong recorded = recordedPostmaster();
        return recorded.isPresent() && list().contains(recorded.getAsLong()) ? recorded : OptionalLong.empty();
    }

    /** Stops at once whatever runs on this directory: in order where a postmaster can still do it, then by force. */
    void stopLeftovers(Duration patience) {
        OptionalLong postmaster = livingPostmaster();
        if (postmaster.isPresent()) {
            Signals.send(postmaster.getAsLong(), Signals.QUIT);
            long giveUp = System.nanoTime() + patience.toNanos();
            while (!list().isEmpty() && System.nanoTime() < giveUp) {
                pause();
            }
        }
        endAll(patience);
    }

    /** Kills every process of the server by its id; {@link LocalFault} when one outlives the deadline. */
    void endAll(Duration deadline) {
        long giveUp = System.nanoTime() + deadline.toNanos();
        while (true) {
            List<Long> left = list();
            if (left.isEmpty()) {
                return;
            }
            left.forEach(pid -> Signals.send(pid, Signals.KILL));
            if (System.nanoTime() >= giveUp) {
                throw new LocalFault("PostgreSQL's processes %s on %s cannot be killed within %s: is the disk hanging?"
                        .formatted(left, dataDirectory, deadline));
            }
            pause();
        }
    }

    private OptionalLong recordedPostmaster() {
        return PidFile.read(dataDirectory).map(PidFile::pid).stream()
                .mapToLong(Long::longValue)
                .filter(pid -> pid > 1)
                .findFirst();
    }

    private static boolean runsPostgres(long pid) {
        return ProcessHandle.of(pid)
                .flatMap(process -> process.info().command())
                .filter(command -> command.endsWith("/postgres"))
                .isPresent();
    }

    private static boolean isOurs(Path process, Path real) {
        try {
            return isPostgres(Files.readSymbolicLink(process.resolve("exe")))
                    && Files.readSymbolicLink(process.resolve("cwd")).equals(real);
        } catch (IOException e) {
            // Gone meanwhile, a kernel thread, or another user's: not ours.
            return false;
        }
    }

    /** The link of a process in a container whose file system is gone says {@code /}, which has no name. */
    static boolean isPostgres(Path executable) {
        Path name = executable.getFileName();
        return name != null && name.toString().startsWith("postgres");
    }

    private Path realDataDirectory() {
        try {
            return dataDirectory.toRealPath();
        } catch (IOException e) {
            return dataDirectory.toAbsolutePath().normalize();
        }
    }

    private static void pause() {
        try {
            Thread.sleep(2);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LocalFault("interrupted while PostgreSQL's processes end", e);
        }
    }
}
