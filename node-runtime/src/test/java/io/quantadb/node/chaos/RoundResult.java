package io.quantadb.node.chaos;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * One round, as a line of the results file, by which an interrupted run goes on.
 *
 * @param fingerprint everything that must be equal for two rounds to belong together
 * @param actions how often each kind was carried out
 * @param skipped how often there was nothing to strike at
 * @param lost acknowledged, and not there
 * @param lostByRight acknowledged while the mode was {@code async}, and not there
 * @param epochs how many times the cluster began a new one
 * @param falseFailovers of these, in a round in which the primary had to stay
 * @param longestGapMs without an acknowledgement, under strikes
 * @param backMs from when everything was mended until writes were acknowledged again
 * @param converged all members serve, on one timeline, with the same history
 * @param checksum of the history on all nodes
 * @param troubles in words; empty when all is well
 */
record RoundResult(
        long seed,
        int round,
        String fingerprint,
        double seconds,
        Map<String, Integer> actions,
        Map<String, Integer> skipped,
        long acknowledged,
        long failed,
        long unknown,
        long lost,
        long lostByRight,
        long phantom,
        long duplicated,
        long reordered,
        long epochs,
        long falseFailovers,
        long longestGapMs,
        long backMs,
        boolean converged,
        String checksum,
        List<String> troubles) {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    boolean good() {
        return lost == 0
                && phantom == 0
                && duplicated == 0
                && reordered == 0
                && falseFailovers == 0
                && converged
                && troubles.isEmpty();
    }

    static Path file(Path folder, long seed) {
        return folder.resolve("rounds-%d.jsonl".formatted(seed));
    }

    /**
     * The rounds of this seed and these settings, from that one on without a gap; a line that was cut off is none.
     */
    static List<RoundResult> read(Path folder, long seed, String fingerprint, int first) throws IOException {
        List<RoundResult> out = new ArrayList<>();
        Path file = file(folder, seed);
        if (!Files.exists(file)) {
            return out;
        }
        for (String line : Files.readAllLines(file)) {
            try {
                RoundResult result = MAPPER.readValue(line, RoundResult.class);
                if (result.fingerprint.equals(fingerprint) && result.round == first + out.size()) {
                    out.add(result);
                }
            } catch (JsonProcessingException e) {
                // Cut off while the run was being stopped: that round is run again.
            }
        }
        return out;
    }

    void append(Path folder) throws IOException {
        Files.createDirectories(folder);
        Files.write(
                file(folder, seed),
                (MAPPER.writeValueAsString(this) + "\n").getBytes(StandardCharsets.UTF_8),
                StandardOpenOption.CREATE,
                StandardOpenOption.APPEND);
    }
}
