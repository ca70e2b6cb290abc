package io.quantadb.node.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;

/** The rounds of one scenario under one load, as the line that is printed, judged by the goals. */
record Summary(String cluster, Scenario scenario, String mode, String load, List<RunResult> rounds) {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    String line() {
        double[] gaps = gaps();
        return MAPPER.createObjectNode()
                .put("cluster", cluster)
                .put("scenario", scenario.label())
                .put("mode", mode)
                .put("load", load)
                .put("runs", rounds.size())
                .put("p50_ms", tenth(Statistics.percentile(gaps, 0.5)))
                .put("p99_ms", tenth(Statistics.percentile(gaps, 0.99)))
                .put("max_ms", tenth(Statistics.max(gaps)))
                .put(
                        "acknowledged",
                        rounds.stream().mapToLong(RunResult::acknowledged).sum())
                .put("lost", rounds.stream().mapToLong(RunResult::lost).sum())
                .put(
                        "duplicated",
                        rounds.stream().mapToLong(RunResult::duplicated).sum())
                .put("unknown", rounds.stream().mapToLong(RunResult::unknown).sum())
                .put("errors", rounds.stream().mapToLong(RunResult::errors).sum())
                .put(
                        "false_failovers",
                        rounds.stream().mapToLong(RunResult::falseFailovers).sum())
                .put(
                        "busy_percent",
                        tenth(rounds.stream()
                                .mapToDouble(RunResult::busyPercent)
                                .average()
                                .orElse(0)))
                .toString();
    }

    /** What was missed, in words; lost and duplicated are judged always, times only when asked. */
    List<String> missed(boolean times) {
        List<String> out = new ArrayList<>();
        String who = scenario.label() + "/" + load;
        long lost = rounds.stream().mapToLong(RunResult::lost).sum();
        long duplicated = rounds.stream().mapToLong(RunResult::duplicated).sum();
        if (lost > 0) {
            out.add("%s lost %d".formatted(who, lost));
        }
        if (duplicated > 0) {
            out.add("%s duplicated %d".formatted(who, duplicated));
        }
        long wrong = rounds.stream().mapToLong(RunResult::wrong).sum();
        if (wrong > 0) {
            out.add("%s has %d phantom or reordered rows".formatted(who, wrong));
        }
        if (times && !rounds.isEmpty()) {
            double p50 = Statistics.percentile(gaps(), 0.5);
            double max = Statistics.max(gaps());
            if (p50 > scenario.p50GoalMs()) {
                out.add("%s p50 %.0f ms > %d ms".formatted(who, p50, scenario.p50GoalMs()));
            }
            if (max > scenario.maxGoalMs()) {
                out.add("%s max %.0f ms > %d ms".formatted(who, max, scenario.maxGoalMs()));
            }
        }
        return out;
    }

    private double[] gaps() {
        return rounds.stream().mapToDouble(RunResult::gapMs).toArray();
    }

    private static double tenth(double value) {
        return Math.round(value * 10) / 10.0;
    }
}
