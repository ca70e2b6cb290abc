package io.quantadb.node.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * One round of {@link RepairBench}, as a line of the results file, by which an interrupted bench goes on.
 *
 * @param settings everything that must be equal for two rounds to be of one table
 * @param rung which rung of the rejoin ladder the node took; empty where there is none
 * @param measured by name, with the unit last
 */
record RepairResult(String settings, String scenario, int run, String rung, Map<String, Double> measured) {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    RepairResult {
        measured = Collections.unmodifiableMap(new TreeMap<>(measured));
    }

    String line() {
        ObjectNode out = MAPPER.createObjectNode()
                .put("settings", settings)
                .put("scenario", scenario)
                .put("run", run)
                .put("rung", rung);
        ObjectNode values = out.putObject("measured");
        measured.forEach(values::put);
        return out.toString();
    }

    static RepairResult parse(String line) throws IOException {
        JsonNode n = MAPPER.readTree(line);
        Map<String, Double> measured = new TreeMap<>();
        n.path("measured")
                .properties()
                .forEach(e -> measured.put(e.getKey(), e.getValue().asDouble()));
        return new RepairResult(
                n.path("settings").asText(),
                n.path("scenario").asText(),
                n.path("run").asInt(),
                n.path("rung").asText(),
                measured);
    }

    /** The rounds of these settings in a file. */
    static List<RepairResult> read(Path file, String settings) throws IOException {
        return ResultLines.read(file, RepairResult::parse).stream()
                .filter(result -> result.settings.equals(settings))
                .toList();
    }

    void append(Path file) throws IOException {
        ResultLines.append(file, line());
    }
}
