package io.quantadb.node.runtime;

import io.quantadb.node.api.ClusterView;
import io.quantadb.node.api.Probe;
import io.quantadb.node.api.Probes;
import io.quantadb.node.common.MonotonicClock;
import java.time.Duration;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a member's agent says of itself to whoever decides whether to restart it or to send it clients. The core thread,
 * on which Raft and the coordinator run, stamps {@link #beat}; that the API answers at all shows that its own loop turns.
 * Neither peers nor PostgreSQL are asked: their faults are no reason to restart this agent. Any thread.
 */
final class NodeProbes implements Probes {
    /** Longer than any step of the core; far longer than a busy machine makes a thread wait. */
    static final Duration LIVE = Duration.ofSeconds(10);

    /** Older than this, what the core last said is not of this moment. */
    static final Duration FRESH = Duration.ofSeconds(2);

    /** A clone that brings nothing for so long has come to a stop. */
    static final Duration STUCK = Duration.ofMinutes(5);

    /** How far a start has come. */
    enum Stage {
        /** In no cluster yet: asks the peers, or waits for a permission. */
        WAITING,
        /** Has its cluster, and starts its parts. */
        STARTING,
        RUNNING,
        /** Ends in order. */
        STOPPING
    }

    private final MonotonicClock clock;
    private final Supplier<ClusterView> views;
    private final Supplier<NodeEngine.@Nullable Cloning> cloning;
    private final Supplier<String> waitsFor;
    private volatile Stage stage = Stage.WAITING;
    private volatile long beatNanos;

    private record Seen(NodeEngine.@Nullable Cloning progress, long atNanos) {}

    private volatile Seen seen;

    /**
     * @param cloning how far the clone under way has come; null before the first
     * @param waitsFor what a clone waits for that has not begun; empty when none does
     */
    NodeProbes(
            MonotonicClock clock,
            Supplier<ClusterView> views,
            Supplier<NodeEngine.@Nullable Cloning> cloning,
            Supplier<String> waitsFor) {
        this.clock = clock;
        this.views = views;
        this.cloning = cloning;
        this.waitsFor = waitsFor;
        this.beatNanos = clock.nanos();
        this.seen = new Seen(null, clock.nanos());
    }

    void beat() {
        beatNanos = clock.nanos();
    }

    void enter(Stage next) {
        beat();
        seen = new Seen(null, clock.nanos());
        stage = next;
    }

    @Override
    public Probe live() {
        return stage == Stage.RUNNING && silent(LIVE)
                ? new Probe(false, "stuck", "", "the core thread has not turned for %d s".formatted(silentSeconds()))
                : new Probe(true, "ok", "", "");
    }

    @Override
    public Probe ready() {
        ClusterView view = views.get();
        String why = switch (stage) {
            case WAITING, STARTING -> view.reason();
            case STOPPING -> "this node stops";
            case RUNNING ->
                silent(FRESH)
                        ? "the core thread has not turned for %d s".formatted(silentSeconds())
                        : view.healthy() ? "" : view.reason();
        };
        return new Probe(
                why.isEmpty(),
                why.isEmpty() ? "ready" : "not ready",
                view.role().name(),
                why);
    }

    @Override
    public Probe startup() {
        return switch (stage) {
            case WAITING -> new Probe(true, "waiting", "", views.get().reason());
            case STARTING -> new Probe(false, "starting", "", views.get().reason());
            case STOPPING -> new Probe(true, "started", "", "this node stops");
            case RUNNING ->
                views.get().state() == ClusterView.State.CLONING ? cloning() : new Probe(true, "started", "", "");
        };
    }

    private Probe cloning() {
        NodeEngine.Cloning now = cloning.get();
        Seen before = seen;
        String waits = waitsFor.get();
        if (!waits.isEmpty()) {
            // Others are copied first, however long that takes; a start anew would lose the place.
            seen = new Seen(now, clock.nanos());
            return new Probe(true, "cloning", "", waits);
        }
        if (now != null && !now.equals(before.progress())) {
            before = new Seen(now, clock.nanos());
            seen = before;
        }
        String far = now == null
                ? "no byte has come yet"
                : "%d of %d MiB have come".formatted(now.doneBytes() >> 20, now.totalBytes() >> 20);
        return clock.nanos() - before.atNanos() > STUCK.toNanos()
                ? new Probe(false, "stuck", "", "%s, and no more for %d min".formatted(far, STUCK.toMinutes()))
                : new Probe(true, "cloning", "", far);
    }

    private boolean silent(Duration most) {
        return clock.nanos() - beatNanos > most.toNanos();
    }

    private long silentSeconds() {
        return Duration.ofNanos(clock.nanos() - beatNanos).toSeconds();
    }
}
