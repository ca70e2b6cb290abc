package io.quantadb.node.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.quantadb.node.bench.History.Outcome;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BenchTest {
    @TempDir
    Path dir;

    @Test
    void percentilesAreValuesThatWereMeasured() {
        // Given
        double[] hundred = new Random(1).doubles(100, 0, 1).toArray();
        for (int i = 0; i < 100; i++) {
            hundred[i] = 100 - i;
        }

        // When / Then
        assertThat(Statistics.percentile(hundred, 0.5)).isEqualTo(50);
        assertThat(Statistics.percentile(hundred, 0.99)).isEqualTo(99);
        assertThat(Statistics.percentile(new double[] {7}, 0.99)).isEqualTo(7);
        assertThat(Statistics.percentile(new double[] {}, 0.5)).isNaN();
    }

    @Test
    void findsTheHoleAlthoughAnAnswerArrivedAfterTheFault() {
        // Given
        long[] acknowledged = {ms(10), ms(90), ms(100), ms(104), ms(704), ms(710), ms(760)};

        // When
        double hole = Statistics.longestHoleMs(acknowledged, ms(101));

        // Then
        assertThat(hole).isCloseTo(600, within(0.001));
    }

    @Test
    void countsSteadyWritesBackFromNowToTheLastHoleOrTheFault() {
        // Given
        long[] acknowledged = {ms(10), ms(500), ms(600), ms(700), ms(790)};

        // When / Then
        assertThat(Rounds.steadyFor(acknowledged, ms(0), ms(800))).isEqualTo(ms(300));
        assertThat(Rounds.steadyFor(acknowledged, ms(600), ms(800))).isEqualTo(ms(100));
        assertThat(Rounds.steadyFor(acknowledged, ms(0), ms(1000))).isZero();
    }

    @Test
    void hasNoHoleWhenWritesNeverCameBack() {
        // When / Then
        assertThat(Statistics.longestHoleMs(new long[] {ms(1), ms(2)}, ms(3))).isNaN();
    }

    @Test
    void countsLostPhantomDuplicatedAndReordered() {
        // Given
        History history = new History();
        history.add(1, 0, 0, 1, Outcome.ACKNOWLEDGED);
        history.add(2, 0, 2, 3, Outcome.ACKNOWLEDGED);
        history.add(3, 1, 0, 3, Outcome.ACKNOWLEDGED);
        history.add(4, 1, 4, 5, Outcome.FAILED);
        history.add(5, 1, 6, 7, Outcome.UNKNOWN);
        history.add(6, 1, 8, 9, Outcome.UNKNOWN);

        // When
        HistoryChecker.Verdict verdict = HistoryChecker.check(history, List.of(2L, 1L, 4L, 5L, 5L, 99L));

        // Then
        assertThat(verdict.lost()).containsExactly(3L);
        assertThat(verdict.phantom()).containsExactly(4L, 99L);
        assertThat(verdict.duplicated()).containsExactly(5L);
        assertThat(verdict.reordered()).containsExactly(2L);
        assertThat(verdict.unknown()).isEqualTo(2);
        assertThat(verdict.clean()).isFalse();
    }

    @Test
    void acceptsWhatIsRight() {
        // Given
        History history = new History();
        history.add(1, 0, 0, 1, Outcome.ACKNOWLEDGED);
        history.add(2, 0, 2, 3, Outcome.UNKNOWN);
        history.add(3, 0, 4, 5, Outcome.ACKNOWLEDGED);

        // When / Then
        assertThat(HistoryChecker.check(history, List.of(1L, 3L)).clean()).isTrue();
        assertThat(HistoryChecker.check(history, List.of(1L, 2L, 3L)).clean()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"25006,FAILED", "57P03,FAILED", "08006,UNKNOWN", "08007,UNKNOWN", "57P01,UNKNOWN", ",UNKNOWN"})
    void takesOnlyARefusalForAFailure(String sqlState, Outcome outcome) {
        // When / Then
        assertThat(OpenLoopWriter.outcomeOf(sqlState)).isEqualTo(outcome);
    }

    @Test
    void goesOnWhereAnInterruptedBenchStopped() throws Exception {
        // Given
        Path file = dir.resolve("results").resolve("failover.jsonl");
        RunResult mine = new RunResult("a", "kill-node", "none", 1, 512.25, 900, 0, 0, 3, 0, 0, 41.5, 4, "stop 60");
        mine.append(file);
        new RunResult("b", "kill-node", "none", 1, 1, 1, 0, 0, 0, 0, 0, 1, 0, "").append(file);
        Files.writeString(file, "{\"settings\": \"a\", \"scen", StandardOpenOption.APPEND);

        // When
        List<RunResult> found = RunResult.read(file, "a");

        // Then
        assertThat(found).containsExactly(mine);
    }

    @Test
    void printsTheLineAndNamesEveryMissedGoal() {
        // Given
        Summary summary = new Summary(
                "quantadb",
                Scenario.KILL_POSTGRES,
                "quorum",
                "none",
                List.of(
                        new RunResult("a", "kill-postgres", "none", 1, 300, 100, 0, 0, 1, 0, 0, 10, 3, ""),
                        new RunResult("a", "kill-postgres", "none", 2, 1200, 100, 2, 1, 1, 0, 1, 20, 5, "")));

        // When / Then
        assertThat(summary.line())
                .isEqualTo(
                        "{\"cluster\":\"quantadb\",\"scenario\":\"kill-postgres\",\"mode\":\"quorum\",\"load\":\"none\",\"runs\":2,"
                                + "\"p50_ms\":300.0,\"p99_ms\":1200.0,\"max_ms\":1200.0,\"acknowledged\":200,\"lost\":2,"
                                + "\"duplicated\":1,\"unknown\":2,\"errors\":8,\"false_failovers\":1,\"busy_percent\":15.0}");
        assertThat(summary.missed(false))
                .containsExactly("kill-postgres/none lost 2", "kill-postgres/none duplicated 1");
        assertThat(summary.missed(true)).contains("kill-postgres/none max 1200 ms > 1000 ms");
    }

    @Test
    void printsHowLongRepairsTookAndWhichOfThemWereNoneOrTooSlow() throws Exception {
        // Given
        Path file = dir.resolve("repair.jsonl");
        RepairResult quick = new RepairResult("a", "rewind-10s", 1, "rewind", Map.of("seconds", 4.25));
        RepairResult cloned = new RepairResult("a", "rewind-10s", 2, "clone", Map.of("seconds", 8.5));
        quick.append(file);
        cloned.append(file);
        new RepairResult("b", "rewind-10s", 1, "rewind", Map.of("seconds", 1.0)).append(file);

        // When
        RepairSummary rejoin = new RepairSummary(RepairScenario.REWIND_10S, RepairResult.read(file, "a"));
        RepairSummary lag = new RepairSummary(
                RepairScenario.LAG,
                List.of(new RepairResult("a", "lag", 1, "", Map.of("p50_ms", 3.0, "p99_ms", 130.0))));

        // Then
        assertThat(rejoin.line())
                .isEqualTo("{\"scenario\":\"rewind-10s\",\"runs\":2,\"seconds\":{\"p50\":4.25,\"max\":8.5}}");
        assertThat(rejoin.missed(false)).containsExactly("rewind-10s, run 2: the node took another rung: clone");
        assertThat(lag.missed(true)).containsExactly("lag p99_ms 130.00 > 100");
        assertThat(lag.missed(false)).isEmpty();
    }

    @Test
    void readsTheResidentMemoryOfAProcess() {
        // When
        double mib = NodeBench.residentMib("Name:\tjava\nVmSize:\t 999999 kB\nVmRSS:\t  109568 kB\n");

        // Then
        assertThat(mib).isEqualTo(107);
    }

    @Test
    void comparesEachRoundWithTheOneBesideItInTime() {
        // Given a machine that gets slower, and one round in which it was slow for one of the two alone
        MeasuredPair ours = new MeasuredPair("ours", "", () -> {
            throw new AssertionError();
        });
        MeasuredPair bare = new MeasuredPair("bare", "", () -> {
            throw new AssertionError();
        });
        for (double rate : new double[] {180, 90, 10}) {
            ours.add(round(rate));
        }
        for (double rate : new double[] {200, 100, 50}) {
            bare.add(round(rate));
        }

        // When
        double ratio = ours.walRatioTo(bare);

        // Then
        assertThat(ratio).isCloseTo(0.9, within(1e-9));
        assertThat(ours.walRate()).isEqualTo(90);
        assertThat(ours.commitMs()).isEqualTo(2);
    }

    private static MeasuredPair.Round round(double walRate) {
        return new MeasuredPair.Round(new double[] {1, 2, 3}, walRate, 0, 0, 0, 0, 0);
    }

    @Test
    void readsHowLongAProcessHasComputed() throws Exception {
        // Given
        ProcessCpu self = ProcessCpu.of(ProcessHandle.current().pid());
        double before = self.millis();

        // When
        double nanos = ProcessCpu.parse("2500000 17 3\n");

        // Then
        assertThat(nanos).isEqualTo(2.5e6);
        assertThat(ProcessCpu.of().millis()).isZero();
        assertThat(self.millis()).isGreaterThanOrEqualTo(before).isPositive();
    }

    @Test
    void readsHowBusyTheMachineWas() {
        // When
        long[] ticks = CpuMeter.parse("cpu  100 0 50 800 50 0 0 0 7 9");

        // Then
        assertThat(ticks).containsExactly(150, 1000);
    }

    private static long ms(long value) {
        return value * 1_000_000;
    }
}
