package io.quantadb.node.bench;

import io.quantadb.node.cli.ProcessMark;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * A peer's processes, each recorded in a file with its number and its start before anything else is done, so that those
 * which an interrupted bench left are ended by the next, and nobody else's ever are.
 */
final class PeerProcesses {
    private static final boolean ROOT = System.getProperty("user.name").equals("root");
    private static final long POLITE_SECONDS = 20;

    private final Path folder;
    private final Path logs;
    private final Map<String, ProcessMark> running = new TreeMap<>();

    /**
     * @param folder for the records
     * @param logs for what they say
     */
    PeerProcesses(Path folder, Path logs) throws IOException {
        this.folder = Files.createDirectories(folder);
        this.logs = Files.createDirectories(logs);
    }

    /** Runs as {@code postgres} when the bench is root, since PostgreSQL refuses root; the prefix becomes the program. */
    static List<String> asServer(List<String> command) {
        List<String> whole = new ArrayList<>();
        if (ROOT) {
            whole.addAll(List.of("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"));
        }
        whole.addAll(command);
        return whole;
    }

    static boolean isRoot() {
        return ROOT;
    }

    void start(String name, List<String> command, Path home) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(asServer(command))
                .directory(home.toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(
                        logs.resolve(name + ".log").toFile()));
        builder.environment().put("HOME", home.toString());
        Process process = builder.start();
        ProcessMark mark = ProcessMark.of(process.pid())
                .orElseThrow(() -> new IOException("%s ended at once; see %s".formatted(name, logs)));
        running.put(name, mark);
        Files.writeString(
                folder.resolve(name + ".pid"), "%d %d %s%n".formatted(mark.pid(), mark.started(), mark.boot()));
    }

    ProcessMark mark(String name) {
        ProcessMark mark = running.get(name);
        if (mark == null) {
            throw new IllegalStateException(name + " was not started");
        }
        return mark;
    }

    /** Ends all that is recorded, what an earlier bench left included; politely first. */
    void endAll() throws IOException, InterruptedException {
        Map<Path, ProcessMark> recorded = new TreeMap<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*.pid")) {
            for (Path file : files) {
                read(file).ifPresent(mark -> recorded.put(file, mark));
            }
        }
        recorded.values().forEach(ProcessMark::terminate);
        long giveUp = System.nanoTime() + TimeUnit.SECONDS.toNanos(POLITE_SECONDS);
        while (recorded.values().stream().anyMatch(ProcessMark::isAlive) && System.nanoTime() < giveUp) {
            TimeUnit.MILLISECONDS.sleep(50);
        }
        for (var e : recorded.entrySet()) {
            e.getValue().kill();
            Files.deleteIfExists(e.getKey());
        }
        running.clear();
    }

    static Optional<ProcessMark> read(Path file) throws IOException {
        String[] words = Files.readString(file).strip().split(" ");
        return words.length < 2
                ? Optional.empty()
                : Optional.of(new ProcessMark(
                        Long.parseLong(words[0]), Long.parseLong(words[1]), words.length > 2 ? words[2] : ""));
    }
}
