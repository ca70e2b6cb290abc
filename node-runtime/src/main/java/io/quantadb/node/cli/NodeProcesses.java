package io.quantadb.node.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Finds the PostgreSQL of one node through its data directory, so that nothing else is ever touched: the number in
 * {@code postmaster.pid} counts only when that process's working directory is this data directory.
 */
public final class NodeProcesses {
    private NodeProcesses() {}

    /** The running postmaster of this data directory. */
    public static Optional<ProcessMark> postmaster(Path dataDirectory) {
        try {
            String first =
                    Files.readAllLines(dataDirectory.resolve("postmaster.pid")).getFirst();
            long pid = Long.parseLong(first.strip());
            return ProcessMark.of(pid).filter(mark -> worksIn(pid, dataDirectory));
        } catch (IOException | NumberFormatException | java.util.NoSuchElementException e) {
            return Optional.empty();
        }
    }

    /** The postmaster and all that descend from it, the postmaster first. */
    public static List<ProcessMark> postgresTree(Path dataDirectory) {
        List<ProcessMark> out = new ArrayList<>();
        postmaster(dataDirectory).ifPresent(postmaster -> {
            out.add(postmaster);
            ProcessHandle.of(postmaster.pid()).stream()
                    .flatMap(ProcessHandle::descendants)
                    .flatMap(child -> ProcessMark.of(child.pid()).stream())
                    .forEach(out::add);
        });
        return out;
    }

    private static boolean worksIn(long pid, Path dataDirectory) {
        try {
            return Path.of("/proc", Long.toString(pid), "cwd").toRealPath().equals(dataDirectory.toRealPath());
        } catch (IOException e) {
            return false;
        }
    }
}
