package io.quantadb.node.chaos;

import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** A link as it is now, and the connections that use it. Confined to the proxy's one event loop. */
final class LinkState {
    private final Random random;
    private final Set<Connection> connections = new HashSet<>();
    private LinkFaults faults = LinkFaults.NONE;
    private long freeAt = System.nanoTime();
    private long bytes;

    LinkState(Random random) {
        this.random = random;
    }

    void set(LinkFaults next) {
        faults = next;
        long now = System.nanoTime();
        freeAt = now;
        long latest = now + TimeUnit.MILLISECONDS.toNanos(next.delayMs() + (long) next.jitterMs());
        Set.copyOf(connections).forEach(connection -> connection.onChange(this, latest));
    }

    LinkFaults faults() {
        return faults;
    }

    boolean isCut() {
        return faults.cut();
    }

    boolean drops() {
        return faults.dropPerMille() > 0 && random.nextInt(1000) < faults.dropPerMille();
    }

    /** When a piece of so many bytes that is sent now arrives. */
    long due(int count) {
        long now = System.nanoTime();
        long due = now;
        if (faults.bytesPerSecond() > 0) {
            freeAt = Math.max(freeAt, now) + count * 1_000_000_000L / faults.bytesPerSecond();
            due = freeAt;
        }
        int jitter = faults.jitterMs() == 0 ? 0 : random.nextInt(faults.jitterMs() + 1);
        return due + TimeUnit.MILLISECONDS.toNanos(faults.delayMs() + (long) jitter);
    }

    void passed(int count) {
        bytes += count;
    }

    /** How many bytes have gone through since the start. */
    long bytes() {
        return bytes;
    }

    void join(Connection connection) {
        connections.add(connection);
    }

    void leave(Connection connection) {
        connections.remove(connection);
    }

    Set<Connection> connections() {
        return Set.copyOf(connections);
    }
}
