package io.quantadb.node.chaos;

import io.quantadb.node.cli.ClusterClient;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/**
 * The cluster's commit mode, which strikes change and which is put back. Each time that it is put back it comes with a
 * number of its own (in {@code shrink_after_ms}, which means nothing under policy {@code block}): a node that shows that
 * number has applied everything that was asked before. Any thread.
 */
final class Modes {
    private static final int FIRST_MARK = 10_000;
    private static final Duration SEEN = Duration.ofSeconds(10);
    private static final Duration POLL = Duration.ofMillis(300);

    private final Operator operator;
    private final Supplier<Optional<ClusterClient.View>> view;
    private final String usual;
    private final LooseTimes loose = new LooseTimes();
    private final AtomicBoolean taken = new AtomicBoolean();
    private int lastMark = FIRST_MARK;
    /** Puts back what was asked last; 0 while nothing was asked since. */
    private int restoring;

    private boolean changed;

    /** @param usual what the cluster has, unless a strike has changed it */
    Modes(Operator operator, Supplier<Optional<ClusterClient.View>> view, String usual) {
        this.operator = operator;
        this.view = view;
        this.usual = usual;
        if (usual.equals("async")) {
            loose.begin(System.nanoTime());
        }
    }

    LooseTimes loose() {
        return loose;
    }

    /** Whether the usual one may not be in force. */
    synchronized boolean changed() {
        return changed;
    }

    /** Has another mode for a while; one strike at a time. */
    Strike.Undo change(int pick, String mode, String policy, int shrinkAfterMs) throws Strike.Skipped {
        if (!taken.compareAndSet(false, true)) {
            throw new Strike.Skipped("another strike has the mode");
        }
        try {
            synchronized (this) {
                changed = true;
                restoring = 0;
            }
            if (mode.equals("async")) {
                loose.begin(System.nanoTime());
            }
            ask(pick, mode, policy, shrinkAfterMs);
        } catch (Strike.Skipped e) {
            taken.set(false);
            throw e;
        }
        return () -> {
            try {
                long end = System.nanoTime() + SEEN.toNanos();
                for (int i = 0; !settle(pick + i) && System.nanoTime() < end; i++) {
                    TimeUnit.MILLISECONDS.sleep(POLL.toMillis());
                }
            } finally {
                taken.set(false);
            }
        };
    }

    /** Asks for the usual mode, unless it is there; whether it is. To be called until it is, when strikes are over. */
    boolean settle(int pick) {
        if (isRestored()) {
            return true;
        }
        try {
            restore(pick);
        } catch (Strike.Skipped e) {
            return false;
        }
        return isRestored();
    }

    private void restore(int pick) throws Strike.Skipped {
        int mark;
        synchronized (this) {
            mark = ++lastMark;
            restoring = restoring == 0 ? mark : restoring;
        }
        ask(pick, usual, "block", mark);
    }

    private void ask(int pick, String mode, String policy, int shrinkAfterMs) throws Strike.Skipped {
        operator.ask(
                pick,
                "/cluster/mode",
                Operator.body().put("mode", mode).put("policy", policy).put("shrink_after_ms", shrinkAfterMs));
    }

    private synchronized boolean isRestored() {
        if (!changed) {
            return true;
        }
        if (restoring == 0 || view.get().filter(this::shows).isEmpty()) {
            return false;
        }
        changed = false;
        if (!usual.equals("async")) {
            loose.end(System.nanoTime());
        }
        return true;
    }

    /** Whether this node shows the usual mode, at whoever's request. */
    boolean isUsual(ClusterClient.View seen) {
        return seen.body().path("mode").asText().equals(usual)
                && seen.body().path("policy").asText().equals("block");
    }

    /** The usual mode, asked for after every change, and the rule that belongs to it: what was acknowledged by fewer is safe. */
    private boolean shows(ClusterClient.View seen) {
        String rule = seen.body().path("rule").asText();
        return seen.body().path("shrink_after_ms").asInt() >= restoring
                && isUsual(seen)
                && !rule.contains(" AND ")
                && (usual.equals("async") || rule.startsWith("ANY "));
    }
}
