package io.quantadb.node.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/** The rounds of one scenario as the line that is printed, judged by its goal. */
record RepairSummary(RepairScenario scenario, List<RepairResult> rounds) {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    String line() {
        ObjectNode out =
                MAPPER.createObjectNode().put("scenario", scenario.label()).put("runs", rounds.size());
        TreeSet<String> names = new TreeSet<>();
        rounds.forEach(round -> names.addAll(round.measured().keySet()));
        for (String name : names) {
            double[] values = values(name);
            out.putObject(name)
                    .put("p50", Statistics.hundredth(Statistics.percentile(values, 0.5)))
                    .put("max", Statistics.hundredth(Statistics.max(values)));
        }
        return out.toString();
    }

    /** What was missed, in words; that a node took another rung than it was to take is judged always. */
    List<String> missed(boolean goals) {
        List<String> out = new ArrayList<>();
        for (RepairResult round : rounds) {
            if (!round.rung().equals(scenario.rung())) {
                out.add("%s, run %d: the node took another rung: %s"
                        .formatted(scenario.label(), round.run(), round.rung()));
            }
        }
        double worst = Statistics.max(values(scenario.judged()));
        if (goals && worst > scenario.goal()) {
            out.add("%s %s %.2f > %.0f".formatted(scenario.label(), scenario.judged(), worst, scenario.goal()));
        }
        return out;
    }

    private double[] values(String name) {
        return rounds.stream()
                .filter(round -> round.measured().containsKey(name))
                .mapToDouble(round -> round.measured().get(name))
                .toArray();
    }
}
