package io.quantadb.node.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.bench.History;
import io.quantadb.node.bench.HistoryChecker;
import io.quantadb.node.bench.OpenLoopWriter;
import io.quantadb.node.cli.DemoNode;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/** Writes that go on through a scenario, and their audit on every node afterwards. */
final class Writes implements AutoCloseable {
    private static final Duration EVERY = Duration.ofMillis(10);
    private static final int SOME = 20;
    private static final long RANGE = 1 << 20;
    private static final AtomicLong NEXT = new AtomicLong(RANGE);

    private final TestingThree cluster;
    private final long firstId = NEXT.getAndAdd(RANGE);
    private final History history = new History();
    private final OpenLoopWriter writer;

    private Writes(TestingThree cluster) {
        this.cluster = cluster;
        this.writer = new OpenLoopWriter(cluster.sql(), EVERY, firstId, history);
    }

    /** Starts them and waits until they are acknowledged. */
    static Writes steady(TestingThree cluster) {
        Writes out = new Writes(cluster);
        out.writer.start();
        out.awaitAcknowledgedAfter(System.nanoTime());
        return out;
    }

    /** Waits until some that were sent after this instant of the monotonic clock have been acknowledged. */
    void awaitAcknowledgedAfter(long nanos) {
        await("writes acknowledged").atMost(TestingThree.PATIENCE).until(() -> acknowledgedSince(nanos) >= SOME);
    }

    long acknowledgedSince(long nanos) {
        return history.attempts().stream()
                .filter(a -> a.outcome() == History.Outcome.ACKNOWLEDGED && a.begunNanos() > nanos)
                .count();
    }

    /** Stops writing; returns what one node has of it against what was acknowledged. */
    HistoryChecker.Verdict verdictOf(DemoNode node) throws Exception {
        writer.close();
        return HistoryChecker.check(history, cluster.rows(node, firstId, firstId + RANGE));
    }

    /** Stops writing, waits until the members have converged, and audits each: nothing lost, made up, doubled or reordered. */
    void auditEverywhere() throws Exception {
        writer.close();
        cluster.awaitConverged();
        assertThat(history.count(History.Outcome.ACKNOWLEDGED)).isPositive();
        List<Long> there = cluster.rows(cluster.primary(), firstId, firstId + RANGE);
        for (DemoNode node : cluster.nodes()) {
            // One that is just being started was last seen well, and does not listen yet.
            await("%s has all rows".formatted(node.id()))
                    .atMost(TestingThree.PATIENCE)
                    .ignoreExceptionsInstanceOf(SQLException.class)
                    .untilAsserted(() -> assertThat(cluster.rows(node, firstId, firstId + RANGE))
                            .as("rows on %s as on the primary", node.id())
                            .isEqualTo(there));
        }
        HistoryChecker.Verdict verdict = HistoryChecker.check(history, there);
        assertThat(verdict.clean()).as("%s", verdict).isTrue();
    }

    @Override
    public void close() throws InterruptedException {
        writer.close();
    }
}
