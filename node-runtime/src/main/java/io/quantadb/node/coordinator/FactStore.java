package io.quantadb.node.coordinator;

import io.quantadb.node.cluster.Timers;
import io.quantadb.node.common.NodeException;
import io.quantadb.node.raftlog.DurableSlots;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Keeps {@link NodeFacts} on disk. Writes run one after another on a thread of their own and are flushed before their
 * continuation runs; a write that fails is told to {@code onFault} and nothing more is written, since a promise that may
 * or may not be on disk must never be answered.
 */
public final class FactStore implements AutoCloseable {
    private final Path file;
    private final ExecutorService writer = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().name("quantadb-facts").daemon().factory());
    private final Consumer<Throwable> onFault;
    private volatile @Nullable NodeFacts current;
    private volatile boolean faulted;
    /** Null as long as there is nothing to remember, and no file. */
    private volatile @Nullable DurableSlots slots;

    /** Opens the file when there is one; throws {@link NodeException.LocalFault} when it cannot be read for sure. */
    public FactStore(Path file, Consumer<Throwable> onFault) {
        this.file = file;
        this.onFault = onFault;
        DurableSlots there = Files.exists(file) ? DurableSlots.open(file) : null;
        byte[] bytes = there == null ? null : there.read();
        this.slots = there;
        this.current = bytes == null ? null : NodeFacts.decode(bytes);
    }

    /** What is on disk, null on an empty one. Any thread. */
    public @Nullable NodeFacts facts() {
        return current;
    }

    /** Writes the first facts, or replaces them, before any other thread uses this store. Blocks. */
    public void put(NodeFacts facts) {
        opened().write(facts.encode());
        current = facts;
    }

    /** Removes what was put by a start that came to nothing; before any other thread uses this store. Blocks. */
    public void forget() {
        DurableSlots there = slots;
        slots = null;
        current = null;
        if (there != null) {
            there.close();
        }
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new NodeException.LocalFault("cannot remove %s: %s".formatted(file, e.getMessage()), e);
        }
    }

    private DurableSlots opened() {
        DurableSlots there = slots;
        if (there == null) {
            there = DurableSlots.open(file);
            slots = there;
        }
        return there;
    }

    /** Persists the promise never again to relay below this epoch, then runs {@code done} on the writer's thread. */
    void promise(long epoch, Runnable done) {
        update(f -> f.withPromise(epoch), done);
    }

    void generation(long generation, Runnable done) {
        update(f -> f.withGeneration(generation), done);
    }

    /** Remembers where peers were last reached; nothing depends on it. */
    public void peers(String known) {
        NodeFacts f = current;
        if (f != null && !f.peers().equals(known)) {
            update(x -> x.withPeers(known), () -> {});
        }
    }

    /** Remembers the cluster's timers, then runs {@code done} on the writer's thread. */
    public void timers(Timers ofCluster, Runnable done) {
        update(f -> f.withTimers(ofCluster), done);
    }

    private void update(UnaryOperator<NodeFacts> change, Runnable done) {
        writer.execute(() -> {
            if (faulted) {
                return;
            }
            try {
                NodeFacts before = current;
                if (before == null) {
                    throw new NodeException.LocalFault("this node has no identity on disk yet");
                }
                NodeFacts next = change.apply(before);
                if (!next.equals(before)) {
                    opened().write(next.encode());
                    current = next;
                }
            } catch (RuntimeException e) {
                faulted = true;
                onFault.accept(e);
                return;
            }
            done.run();
        });
    }

    @Override
    public void close() {
        writer.shutdown();
        try {
            if (!writer.awaitTermination(2, TimeUnit.SECONDS)) {
                writer.shutdownNow();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        DurableSlots there = slots;
        if (there != null) {
            there.close();
        }
    }
}
