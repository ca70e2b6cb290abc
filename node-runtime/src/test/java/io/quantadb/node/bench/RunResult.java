package io.quantadb.node.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * One round of one scenario, as a line of the results file, by which an interrupted bench goes on.
 *
 * @param settings everything that must be equal for two rounds to be of one table
 * @param wrong rows that nobody wrote, or that stand in another order than one process wrote them in
 * @param errors statements that a client had sent and that were answered by an error, or by the end of the connection
 * @param detail what else is worth knowing of the round, for people
 * @param gapMs the hole in acknowledgements; the deadline when writes did not come back
 */
record RunResult(
        String settings,
        String scenario,
        String load,
        int run,
        double gapMs,
        long acknowledged,
        long lost,
        long duplicated,
        long unknown,
        long wrong,
        long falseFailovers,
        double busyPercent,
        long errors,
        String detail) {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    String line() {
        return MAPPER.createObjectNode()
                .put("settings", settings)
                .put("scenario", scenario)
                .put("load", load)
                .put("run", run)
                .put("gap_ms", gapMs)
                .put("acknowledged", acknowledged)
                .put("lost", lost)
                .put("duplicated", duplicated)
                .put("unknown", unknown)
                .put("wrong", wrong)
                .put("false_failovers", falseFailovers)
                .put("busy_percent", busyPercent)
                .put("errors", errors)
                .put("detail", detail)
                .toString();
    }

    static RunResult parse(String line) throws IOException {
        JsonNode n = MAPPER.readTree(line);
        return new RunResult(
                n.path("settings").asText(),
                n.path("scenario").asText(),
                n.path("load").asText(),
                n.path("run").asInt(),
                n.path("gap_ms").asDouble(),
                n.path("acknowledged").asLong(),
                n.path("lost").asLong(),
                n.path("duplicated").asLong(),
                n.path("unknown").asLong(),
                n.path("wrong").asLong(),
                n.path("false_failovers").asLong(),
                n.path("busy_percent").asDouble(),
                n.path("errors").asLong(),
                n.path("detail").asText());
    }

    /** The rounds of these settings in a file. */
    static List<RunResult> read(Path file, String settings) throws IOException {
        return ResultLines.read(file, RunResult::parse).stream()
                .filter(result -> result.settings.equals(settings))
                .toList();
    }

    void append(Path file) throws IOException {
        ResultLines.append(file, line());
    }
}
