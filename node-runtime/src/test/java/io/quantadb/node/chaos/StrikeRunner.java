package io.quantadb.node.chaos;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Carries a schedule out, each strike on a virtual thread of its own, at its time. */
final class StrikeRunner {
    /** A strike that is not over by then is a fault of this program. */
    private static final Duration STRAGGLERS = Duration.ofMinutes(2);

    private final ChaosCluster cluster;
    private final Map<String, Strike> kinds = new HashMap<>();
    private final Tally tally;
    private final Trace trace;

    StrikeRunner(ChaosCluster cluster, List<Strike> kinds, Tally tally, Trace trace) {
        this.cluster = cluster;
        kinds.forEach(kind -> this.kinds.put(kind.label(), kind));
        this.tally = tally;
        this.trace = trace;
    }

    /** Returns when the last strike is undone. */
    void run(Schedule schedule) throws InterruptedException, TimeoutException {
        long began = System.nanoTime();
        List<Future<?>> all = new ArrayList<>();
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
        try {
            for (Step step : schedule.steps()) {
                all.add(threads.submit(() -> {
                    carryOut(step, began);
                    return null;
                }));
            }
            long end = began + TimeUnit.MILLISECONDS.toNanos(schedule.lengthMs()) + STRAGGLERS.toNanos();
            for (Future<?> one : all) {
                one.get(Math.max(1, end - System.nanoTime()), TimeUnit.NANOSECONDS);
            }
        } catch (ExecutionException e) {
            throw new IllegalStateException("a strike could not be carried out or undone", e.getCause());
        } finally {
            // Only one that hangs is still there.
            threads.shutdownNow();
        }
    }

    private void carryOut(Step step, long began) throws InterruptedException {
        sleepUntil(began + TimeUnit.MILLISECONDS.toNanos(step.atMs()));
        Strike.Undo undo;
        try {
            undo = kinds.get(step.strike()).strike(step, cluster);
        } catch (InterruptedException e) {
            throw e;
        } catch (Exception e) {
            // Nothing there to strike at, or it was quicker gone than struck: the schedule goes on.
            tally.skipped(step);
            trace.say("skipped %s: %s".formatted(step, e.getMessage()));
            return;
        }
        tally.began(step);
        trace.say("began   " + step);
        try {
            sleepUntil(began + TimeUnit.MILLISECONDS.toNanos(step.atMs() + step.forMs()));
            undo.run();
        } catch (InterruptedException e) {
            throw e;
        } catch (Exception e) {
            // What it left is mended at the end of the round.
            trace.say("could not undo %s: %s".formatted(step, e.getMessage()));
        }
        trace.say("ended   " + step);
        tally.ended(step);
    }

    private static void sleepUntil(long nanos) throws InterruptedException {
        long left = nanos - System.nanoTime();
        if (left > 0) {
            TimeUnit.NANOSECONDS.sleep(left);
        }
    }
}
