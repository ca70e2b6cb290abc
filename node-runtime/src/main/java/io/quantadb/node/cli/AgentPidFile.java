package io.quantadb.node.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;

/**
 * Which process runs a node: {@code agent.pid} in its run folder, three lines as in {@link ProcessMark}. In a container
 * every agent has the same few numbers, so the number alone would say nothing.
 */
public final class AgentPidFile {
    private final Path file;

    private AgentPidFile(Path file) {
        this.file = file;
    }

    public static AgentPidFile in(Path runFolder) {
        return new AgentPidFile(runFolder.resolve("agent.pid"));
    }

    public Path path() {
        return file;
    }

    /** Replaces the file in one step. */
    public void write(long pid) throws IOException {
        ProcessMark mark = ProcessMark.of(pid).orElseThrow(() -> new IOException("process %d is gone".formatted(pid)));
        Path fresh = file.resolveSibling(".agent.pid.new");
        Files.write(fresh, List.of(Long.toString(mark.pid()), Long.toString(mark.started()), mark.boot()));
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /** The process that wrote it, if that very one still runs. */
    public Optional<ProcessMark> running() {
        try {
            List<String> lines = Files.readAllLines(file);
            if (lines.size() < 3) {
                return Optional.empty();
            }
            ProcessMark mark = new ProcessMark(
                    Long.parseLong(lines.get(0).strip()),
                    Long.parseLong(lines.get(1).strip()),
                    lines.get(2).strip());
            return Optional.of(mark).filter(ProcessMark::isAlive);
        } catch (IOException | NumberFormatException e) {
            return Optional.empty();
        }
    }

    public void remove() throws IOException {
        Files.deleteIfExists(file);
    }
}
