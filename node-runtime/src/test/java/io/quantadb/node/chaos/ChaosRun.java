package io.quantadb.node.chaos;

import io.quantadb.node.bench.ClusterSql;
import io.quantadb.node.bench.History;
import io.quantadb.node.bench.HistoryChecker;
import io.quantadb.node.bench.OpenLoopWriter;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.verify.Comparison;
import io.quantadb.node.verify.Limits;
import io.quantadb.node.verify.Pauses;
import io.quantadb.node.verify.ReadFailure;
import io.quantadb.node.verify.Report;
import io.quantadb.node.verify.SqlReader;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/** Rounds of strikes on one cluster until the time is over or one was not good. One thread, but for writers and strikes. */
final class ChaosRun {
    /** Agents that were killed start, and one may have to copy what little there is; a slow machine takes its time for it. */
    private static final Duration BACK = Duration.ofSeconds(60);

    private static final Duration CONVERGED = Duration.ofMinutes(3);
    private static final Duration AGREED = Duration.ofSeconds(60);
    private static final Duration PROGRESS = Duration.ofSeconds(10);
    private static final int AUDITS = 5;
    private static final int ACKNOWLEDGED_SOME = 20;
    private static final long RANGE = 1L << 20;

    private final ChaosSettings settings;
    private final ChaosCluster cluster;
    private final Consumer<String> say;
    private final Trace trace;
    private final List<Strike> kinds;
    private final Map<String, String> notRun = new LinkedHashMap<>();
    private final Audit audit;
    private String checksumBefore = "";

    ChaosRun(ChaosSettings settings, ChaosCluster cluster, Consumer<String> say, Trace trace) {
        this.settings = settings;
        this.trace = trace;
        this.cluster = cluster;
        this.say = say;
        this.kinds = Strikes.named(settings.actions());
        this.audit = new Audit(cluster);
        for (Strike kind : kinds) {
            String missing = kind.missing(cluster);
            if (!missing.isEmpty()) {
                notRun.put(kind.label(), missing);
            }
        }
    }

    /** What cannot be done here, and why. */
    Map<String, String> notRun() {
        return notRun;
    }

    /** Goes on behind the rounds that are done; each is written down as soon as it is over. */
    List<RoundResult> run(List<RoundResult> done) throws Exception {
        List<RoundResult> rounds = new ArrayList<>(done);
        double wanted = settings.minutes() * 60.0;
        do {
            RoundResult result = round(
                    rounds.isEmpty() ? settings.firstRound() : rounds.getLast().round() + 1);
            result.append(settings.results());
            rounds.add(result);
            say.accept(
                    "round %d: acknowledged %d, lost %d, phantom %d, duplicated %d, epochs %d, longest gap %d ms, back in %d ms, %s"
                            .formatted(
                                    result.round(),
                                    result.acknowledged(),
                                    result.lost(),
                                    result.phantom(),
                                    result.duplicated(),
                                    result.epochs(),
                                    result.longestGapMs(),
                                    result.backMs(),
                                    result.good() ? "good" : "NOT GOOD: " + result.troubles()));
        } while (rounds.getLast().good()
                && rounds.stream().mapToDouble(RoundResult::seconds).sum() + settings.roundSeconds() / 2.0 < wanted);
        return rounds;
    }

    private RoundResult round(int number) throws Exception {
        long began = System.nanoTime();
        long firstId = (1 + (long) number * settings.writers()) * RANGE;
        Schedule schedule =
                Schedule.draw(settings.seed(), number, settings.roundSeconds() * 1000L, settings.gapMs(), kinds);
        List<String> troubles = new ArrayList<>();
        Tally tally = new Tally();
        long epochBefore = cluster.epoch();
        Written written = write(schedule, number, firstId, tally, troubles);
        List<History> histories = written.histories();
        trace.say("round %d is over: everything is mended".formatted(number));
        Findings found = examine(histories, firstId, troubles);
        List<HistoryChecker.Verdict> verdicts = found.verdicts();
        long[] lost = lost(histories, verdicts);
        long epochs = cluster.epoch() - epochBefore;
        tellLongestGap(histories);
        boolean mustStay = kinds.stream().allMatch(Strike::primaryMustStay);
        return new RoundResult(
                settings.seed(),
                number,
                settings.fingerprint(),
                (System.nanoTime() - began) / 1e9,
                tally.done(),
                tally.skipped(),
                count(histories, History.Outcome.ACKNOWLEDGED),
                count(histories, History.Outcome.FAILED),
                count(histories, History.Outcome.UNKNOWN),
                lost[0],
                lost[1],
                verdicts.stream().mapToLong(v -> v.phantom().size()).sum(),
                verdicts.stream().mapToLong(v -> v.duplicated().size()).sum(),
                verdicts.stream().mapToLong(v -> v.reordered().size()).sum(),
                epochs,
                mustStay ? epochs : 0,
                longestGapMs(histories),
                written.backMs(),
                found.converged() && !found.checksum().isEmpty(),
                found.checksum(),
                troubles);
    }

    /**
     * What the nodes have.
     *
     * @param checksum empty when they do not agree, or could not be asked
     */
    private record Findings(boolean converged, List<HistoryChecker.Verdict> verdicts, String checksum) {}

    /** Waits until all members are whole and compares; begins again when one goes away under the audit. */
    private Findings examine(List<History> histories, long firstId, List<String> troubles) throws InterruptedException {
        String why = "";
        for (int attempt = 0; attempt < AUDITS; attempt++) {
            String apart = cluster.awaitConverged(CONVERGED);
            if (!apart.isEmpty()) {
                troubles.add("not converged within %d s: %s".formatted(CONVERGED.toSeconds(), apart));
            }
            try {
                int primary = cluster.primaryIndex();
                if (primary < 0) {
                    throw new IllegalStateException("there is no primary");
                }
                List<HistoryChecker.Verdict> verdicts = new ArrayList<>();
                for (int i = 0; i < histories.size(); i++) {
                    long from = firstId + i * RANGE;
                    verdicts.add(HistoryChecker.check(histories.get(i), audit.ids(primary, from, from + RANGE)));
                }
                String checksum =
                        apart.isEmpty() ? agreed(primary, firstId, firstId + histories.size() * RANGE, troubles) : "";
                return new Findings(apart.isEmpty(), verdicts, checksum);
            } catch (RuntimeException e) {
                why = String.valueOf(e.getMessage());
                if (!apart.isEmpty()) {
                    break;
                }
            }
        }
        troubles.add("the nodes could not be read: " + why);
        return new Findings(false, List.of(), "");
    }

    /** How many acknowledged rows are lost, and how many more that the mode of that time permitted to be. */
    private long[] lost(List<History> histories, List<HistoryChecker.Verdict> verdicts) {
        long[] out = new long[2];
        for (int i = 0; i < verdicts.size(); i++) {
            Set<Long> lost = verdicts.get(i).lost();
            for (History.Attempt attempt : histories.get(i).attempts()) {
                if (lost.contains(attempt.id())) {
                    boolean permitted = cluster.modes().loose().cover(attempt.endedNanos());
                    out[permitted ? 1 : 0]++;
                    trace.say("lost%s: row %d, acknowledged %d ms ago"
                            .formatted(
                                    permitted ? " (mode async)" : "",
                                    attempt.id(),
                                    (System.nanoTime() - attempt.endedNanos()) / 1_000_000));
                }
            }
        }
        return out;
    }

    /**
     * What was written.
     *
     * @param backMs from when everything was mended until writes were back
     */
    private record Written(List<History> histories, long backMs) {}

    /** Writers under strikes, then everything mended, until writes come back. */
    private Written write(Schedule schedule, int number, long firstId, Tally tally, List<String> troubles)
            throws IOException, InterruptedException {
        ClusterSql sql = cluster.sql();
        List<History> histories = new ArrayList<>();
        List<OpenLoopWriter> writers = new ArrayList<>();
        for (int i = 0; i < settings.writers(); i++) {
            History history = new History();
            histories.add(history);
            writers.add(new OpenLoopWriter(sql, Duration.ofMillis(settings.everyMs()), firstId + i * RANGE, history));
        }
        writers.forEach(OpenLoopWriter::start);
        long backMs = 0;
        try (ScheduledExecutorService teller = Executors.newSingleThreadScheduledExecutor()) {
            Progress progress = new Progress(number, histories, tally, System.nanoTime());
            var _ = teller.scheduleAtFixedRate(
                    progress::tell, PROGRESS.toSeconds(), PROGRESS.toSeconds(), TimeUnit.SECONDS);
            try {
                new StrikeRunner(cluster, kinds, tally, trace).run(schedule);
            } catch (TimeoutException | IllegalStateException e) {
                troubles.add("strikes: %s".formatted(e));
            }
            long mendedAt = System.nanoTime();
            mend();
            boolean back = awaitAcknowledged(histories, mendedAt);
            backMs = (System.nanoTime() - mendedAt) / 1_000_000;
            if (!back) {
                troubles.add("writes were not back %d s after everything was mended".formatted(BACK.toSeconds()));
            }
            teller.shutdownNow();
        } finally {
            for (OpenLoopWriter writer : writers) {
                writer.close();
            }
        }
        return new Written(histories, backMs);
    }

    /** As far as it goes now: what cannot be mended yet is tried again by whoever waits for it. */
    private void mend() throws InterruptedException {
        try {
            cluster.heal();
        } catch (IOException | RuntimeException e) {
            trace.say("not everything could be mended yet: " + e);
        }
    }

    private boolean awaitAcknowledged(List<History> histories, long after) throws InterruptedException {
        long end = after + BACK.toNanos();
        while (System.nanoTime() < end) {
            long fresh = acknowledgedAt(histories).filter(at -> at > after).count();
            if (fresh >= ACKNOWLEDGED_SOME) {
                return true;
            }
            TimeUnit.MILLISECONDS.sleep(200);
            // An agent may have ended by itself meanwhile, as one does whose disk was full.
            mend();
        }
        return false;
    }

    /** The history's checksum that all nodes agree on; empty, and said why, when they do not. */
    private String agreed(int primary, long firstId, long end, List<String> troubles) throws InterruptedException {
        try {
            String out = audit.agreed(primary, end, AGREED);
            if (!checksumBefore.isEmpty() && !audit.checksum(primary, firstId).equals(checksumBefore)) {
                troubles.add("rows of earlier rounds are not what they were");
            }
            checksumBefore = out;
            compareNodes(primary, troubles);
            return out;
        } catch (Audit.Disagree e) {
            troubles.add(String.valueOf(e.getMessage()));
            return "";
        }
    }

    /** The same question once more, to what users would ask: all tables, row by row. */
    private void compareNodes(int primary, List<String> troubles) {
        List<NodeId> standbys = IntStream.range(0, cluster.size())
                .filter(i -> i != primary)
                .mapToObj(i -> new NodeId(LinkPlan.id(i)))
                .toList();
        Comparison.Opener opener = (node, database) -> SqlReader.open(
                node, () -> cluster.behind(Integer.parseInt(node.value().substring("node".length())) - 1));
        String why = "";
        for (int attempt = 0; attempt < AUDITS; attempt++) {
            try {
                Report report = new Comparison(
                                new NodeId(LinkPlan.id(primary)),
                                standbys,
                                opener,
                                Limits.USUAL.at(0),
                                Pauses.real(),
                                Comparison.SILENT)
                        .run(List.of("postgres"), table -> true, Map.of());
                if (report.verdict() == Report.Verdict.SAME) {
                    return;
                }
                why = report.toString();
                if (report.verdict() == Report.Verdict.DIFFERENT) {
                    break;
                }
            } catch (ReadFailure e) {
                why = "%s: %s".formatted(e.node(), e.words());
            }
        }
        troubles.add("quantadb verify: " + why);
    }

    private static long count(List<History> histories, History.Outcome outcome) {
        return histories.stream().mapToLong(history -> history.count(outcome)).sum();
    }

    private static LongStream acknowledgedAt(List<History> histories) {
        return histories.stream().flatMapToLong(history -> Arrays.stream(history.acknowledgedAt()));
    }

    static long longestGapMs(List<History> histories) {
        long[] sorted = acknowledgedAt(histories).sorted().toArray();
        long longest = 0;
        for (int i = 1; i < sorted.length; i++) {
            longest = Math.max(longest, sorted[i] - sorted[i - 1]);
        }
        return longest / 1_000_000;
    }

    /** When the longest time without an acknowledgement was, so that the strikes and logs of then can be found. */
    private void tellLongestGap(List<History> histories) {
        long[] sorted = acknowledgedAt(histories).sorted().toArray();
        int at = 0;
        for (int i = 1; i < sorted.length; i++) {
            at = at == 0 || sorted[i] - sorted[i - 1] > sorted[at] - sorted[at - 1] ? i : at;
        }
        if (at > 0) {
            trace.say("the longest time without an acknowledgement, %d ms, ended at %s"
                    .formatted((sorted[at] - sorted[at - 1]) / 1_000_000, Trace.clockAt(sorted[at])));
        }
    }

    /** One line every few seconds. */
    private final class Progress {
        private final int round;
        private final List<History> histories;
        private final Tally tally;
        private final long began;
        private long before;

        Progress(int round, List<History> histories, Tally tally, long began) {
            this.round = round;
            this.histories = histories;
            this.tally = tally;
            this.began = began;
        }

        void tell() {
            long acknowledged = count(histories, History.Outcome.ACKNOWLEDGED);
            int primary = cluster.primaryIndex();
            say.accept("round %d %3d s: epoch %d, primary %s, acknowledged %d (+%d), strikes %d, under way %s"
                    .formatted(
                            round,
                            (System.nanoTime() - began) / 1_000_000_000,
                            cluster.epoch(),
                            primary < 0 ? "none" : LinkPlan.id(primary),
                            acknowledged,
                            acknowledged - before,
                            tally.total(),
                            tally.underWay()));
            before = acknowledged;
        }
    }
}
