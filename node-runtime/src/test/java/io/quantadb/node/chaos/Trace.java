package io.quantadb.node.chaos;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/** What was done and when, by the clock that the agents' logs have: for who looks for the reason of a finding. Any thread. */
final class Trace implements AutoCloseable {
    private final PrintWriter out;

    private Trace(PrintWriter out) {
        this.out = out;
    }

    static Path file(Path results, long seed) {
        return results.resolve("strikes-%d.log".formatted(seed));
    }

    /** Begins a new one. */
    static Trace to(Path results, long seed) throws IOException {
        Files.createDirectories(results);
        return new Trace(new PrintWriter(Files.newBufferedWriter(file(results, seed)), true));
    }

    /** The clock's time at an instant of {@link System#nanoTime}. */
    static Instant clockAt(long nanos) {
        return Instant.now().minusNanos(System.nanoTime() - nanos).truncatedTo(ChronoUnit.MILLIS);
    }

    synchronized void say(String line) {
        out.printf("%s %s%n", Instant.now().truncatedTo(ChronoUnit.MILLIS), line);
    }

    @Override
    public void close() {
        out.close();
    }
}
