package io.quantadb.node.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
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

    /** The rounds of these settings in a file; a last line that was cut off is left out. */
    static List<RepairResult> read(Path file, String settings) throws IOException {
        List<RepairResult> out = new ArrayList<>();
        if (!Files.exists(file)) {
            return out;
        }
        for (String line : Files.readAllLines(file)) {
            try {
                RepairResult result = parse(line);
                if (result.settings.equals(settings)) {
                    out.add(result);
                }
            } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
                // Cut off while the bench was being stopped: that round is run again.
            }
        }
        return out;
    }

    void append(Path file) throws IOException {
        Files.createDirectories(file.toAbsolutePath().getParent());
        Files.write(
                file,
                (line() + "\n").getBytes(StandardCharsets.UTF_8),
                StandardOpenOption.CREATE,
                StandardOpenOption.APPEND);
    }
}
