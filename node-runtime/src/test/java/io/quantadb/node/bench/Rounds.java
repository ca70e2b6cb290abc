package io.quantadb.node.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The rounds of one cluster: steady writes, a blow, writes again, everything healed, the audit; each kept in the results. */
final class Rounds {
    static final Duration EVERY = Duration.ofMillis(5);
    private static final Duration HELD_MAX = Duration.ofMillis(500);
    private static final int HELD_WRITES = 20;
    private static final long IDS_PER_ROUND = 1L << 20;

    private final Contender cluster;
    private final Path results;
    private final int steadyMs;
    private final boolean broken;
    private long nextId = System.currentTimeMillis() << 20;

    /**
     * @param results where rounds are kept, and found again by an interrupted bench
     * @param steadyMs for how long writes must go on before and after
     * @param broken whether the cluster is a test build with a bug put back
     */
    Rounds(Contender cluster, Path results, int steadyMs, boolean broken) {
        this.cluster = cluster;
        this.results = results;
        this.steadyMs = steadyMs;
        this.broken = broken;
    }

    List<RunResult> run(Scenario scenario, String load, int runs) throws Exception {
        List<RunResult> done = new ArrayList<>(RunResult.read(results, cluster.settings()).stream()
                .filter(r -> r.scenario().equals(scenario.label()) && r.load().equals(load))
                .limit(runs)
                .toList());
        while (done.size() < runs) {
            RunResult result = round(scenario, load, done.size() + 1);
            result.append(results);
            done.add(result);
            System.err.println("# " + result.line());
        }
        return done;
    }

    private RunResult round(Scenario scenario, String load, int run) throws Exception {
        ClusterSql sql = cluster.sql();
        long epochReady = cluster.awaitReady();
        History history = new History();
        long firstId = nextId;
        CpuMeter cpu = new CpuMeter();
        double gap;
        double busy;
        long falseFailovers;
        Blow blow;
        try (OpenLoopWriter writer = new OpenLoopWriter(sql, EVERY, firstId, history)) {
            writer.start();
            awaitAcknowledged(history, System.nanoTime());
            falseFailovers = cluster.epoch() - epochReady;
            blow = cluster.blow(scenario);
            long at;
            try (HeldStreams held = broken ? holdStreams(sql, history) : null) {
                at = blow.strike(run);
            }
            boolean back = awaitAcknowledged(history, at);
            gap = back
                    ? Statistics.longestHoleMs(history.acknowledgedAt(), at)
                    : cluster.backDeadline().toMillis();
            // Before a client that hangs on a paused node is waited for.
            busy = cpu.busyPercent();
        }
        blow.heal();
        long asked = epochReady + falseFailovers + scenario.epochs();
        falseFailovers += Math.max(0, cluster.awaitReady() - asked);
        HistoryChecker.Verdict verdict = HistoryChecker.check(history, found(sql, firstId));
        nextId = firstId + IDS_PER_ROUND;
        return new RunResult(
                cluster.settings(),
                scenario.label(),
                load,
                run,
                gap,
                history.count(History.Outcome.ACKNOWLEDGED),
                verdict.lost().size(),
                verdict.duplicated().size(),
                verdict.unknown(),
                verdict.phantom().size() + verdict.reordered().size(),
                falseFailovers,
                busy,
                history.errors(),
                blow.detail());
    }

    /**
     * Gives a broken build its chance: WAL reaches nobody for a moment, long enough for commits that such a build
     * acknowledges all the same. A sound one acknowledges none of them, and the moment passes.
     */
    private static HeldStreams holdStreams(ClusterSql sql, History history)
            throws SQLException, IOException, InterruptedException {
        List<Long> senders = new ArrayList<>();
        try (Connection connection = sql.patient();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(HeldStreams.SENDERS)) {
            while (rows.next()) {
                senders.add(rows.getLong(1));
            }
        }
        HeldStreams held = HeldStreams.hold(senders);
        long before = history.count(History.Outcome.ACKNOWLEDGED);
        long deadline = System.nanoTime() + HELD_MAX.toNanos();
        while (history.count(History.Outcome.ACKNOWLEDGED) < before + HELD_WRITES && System.nanoTime() < deadline) {
            TimeUnit.MILLISECONDS.sleep(5);
        }
        return held;
    }

    /** Waits until acknowledgements newer than {@code after} have come for long enough without a hole of 200 ms. */
    private boolean awaitAcknowledged(History history, long after) throws InterruptedException {
        long deadline = System.nanoTime() + cluster.backDeadline().toNanos() + TimeUnit.MILLISECONDS.toNanos(steadyMs);
        while (System.nanoTime() < deadline) {
            TimeUnit.MILLISECONDS.sleep(50);
            if (steadyFor(history.acknowledgedAt(), after, System.nanoTime()) >= steadyMs * 1_000_000L) {
                return true;
            }
        }
        return false;
    }

    /** How long acknowledgements have come without a hole of 200 ms, up to now and after that instant. */
    static long steadyFor(long[] acknowledgedAt, long after, long now) {
        long hole = TimeUnit.MILLISECONDS.toNanos(200);
        long newer = now;
        for (int i = acknowledgedAt.length - 1; i >= 0; i--) {
            if (acknowledgedAt[i] <= after || newer - acknowledgedAt[i] > hole) {
                break;
            }
            newer = acknowledgedAt[i];
        }
        return now - newer;
    }

    private static List<Long> found(ClusterSql sql, long firstId) throws SQLException {
        List<Long> out = new ArrayList<>();
        try (Connection connection = sql.patient();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT id FROM " + OpenLoopWriter.TABLE + " WHERE id >= "
                        + firstId + " AND id < " + (firstId + IDS_PER_ROUND) + " ORDER BY serial")) {
            while (rows.next()) {
                out.add(rows.getLong(1));
            }
        }
        return out;
    }
}
