package io.quantadb.node.chaos;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToLongFunction;

/** All rounds of a run together: the result file, and the table for people. */
record ChaosResult(ChaosSettings settings, Map<String, String> notRun, List<RoundResult> rounds) {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    boolean good() {
        return !rounds.isEmpty() && rounds.stream().allMatch(RoundResult::good);
    }

    private long sum(ToLongFunction<RoundResult> what) {
        return rounds.stream().mapToLong(what).sum();
    }

    private static Map<String, Integer> merged(List<Map<String, Integer>> all) {
        Map<String, Integer> out = new TreeMap<>();
        all.forEach(one -> one.forEach((name, count) -> out.merge(name, count, Integer::sum)));
        return out;
    }

    private Map<String, Integer> actions() {
        return merged(rounds.stream().map(RoundResult::actions).toList());
    }

    private Map<String, Integer> skipped() {
        return merged(rounds.stream().map(RoundResult::skipped).toList());
    }

    private double seconds() {
        return rounds.stream().mapToDouble(RoundResult::seconds).sum();
    }

    private long longestGapMs() {
        return rounds.stream().mapToLong(RoundResult::longestGapMs).max().orElse(0);
    }

    private long longestBackMs() {
        return rounds.stream().mapToLong(RoundResult::backMs).max().orElse(0);
    }

    ObjectNode json() {
        ObjectNode out = MAPPER.createObjectNode()
                .put("seed", settings.seed())
                .put("commit", settings.commit())
                .put("settings", settings.fingerprint())
                .put("good", good())
                .put("rounds", rounds.size())
                .put("minutes", Math.round(seconds() / 6) / 10.0)
                .put("acknowledged", sum(RoundResult::acknowledged))
                .put("failed", sum(RoundResult::failed))
                .put("unknown", sum(RoundResult::unknown))
                .put("lost", sum(RoundResult::lost))
                .put("lost_while_async", sum(RoundResult::lostByRight))
                .put("phantom", sum(RoundResult::phantom))
                .put("duplicated", sum(RoundResult::duplicated))
                .put("reordered", sum(RoundResult::reordered))
                .put("converged", rounds.stream().allMatch(RoundResult::converged))
                .put("epochs", sum(RoundResult::epochs))
                .put("false_failovers", sum(RoundResult::falseFailovers))
                .put("longest_gap_ms", longestGapMs())
                .put("longest_back_ms", longestBackMs())
                .put("checksum", rounds.isEmpty() ? "" : rounds.getLast().checksum());
        actions().forEach(out.putObject("actions")::put);
        skipped().forEach(out.putObject("skipped")::put);
        notRun.forEach(out.putObject("not_run")::put);
        var troubles = out.putArray("troubles");
        rounds.forEach(round ->
                round.troubles().forEach(t -> troubles.add("round %d: %s".formatted(round.round(), t))));
        return out;
    }

    Path write() throws IOException {
        Path file = settings.results().resolve("result-%d.json".formatted(settings.seed()));
        Files.createDirectories(settings.results());
        Files.writeString(file, json().toPrettyString() + "\n");
        return file;
    }

    String table() {
        StringBuilder out = new StringBuilder("%-20s %6s %8s%n".formatted("ACTION", "DONE", "SKIPPED"));
        Map<String, Integer> done = actions();
        Map<String, Integer> skipped = skipped();
        Map<String, Integer> names = new TreeMap<>(done);
        names.putAll(skipped);
        names.keySet()
                .forEach(name -> out.append(
                        "%-20s %6d %8d%n".formatted(name, done.getOrDefault(name, 0), skipped.getOrDefault(name, 0))));
        notRun.forEach((name, why) -> out.append("NOT RUN %s: %s%n".formatted(name, why)));
        out.append(
                "%d rounds in %.1f minutes, %d epochs, %d false failovers, longest time without an acknowledgement %d ms, and %d ms after everything was mended%n"
                        .formatted(
                                rounds.size(),
                                seconds() / 60,
                                sum(RoundResult::epochs),
                                sum(RoundResult::falseFailovers),
                                longestGapMs(),
                                longestBackMs()));
        rounds.forEach(round ->
                round.troubles().forEach(t -> out.append("round %d: %s%n".formatted(round.round(), t))));
        return out.toString();
    }

    /** The one line that says it all, and how to have it again. */
    String summary() {
        return "chaos: %s: seed %d, %d rounds, %d strikes; acknowledged %d, refused %d, unknown %d; lost %d (and %d while async), phantom %d, duplicated %d, reordered %d; %s; repeat with: make chaos SEED=%d MINUTES=%d%s"
                .formatted(
                        good() ? "good" : "NOT GOOD",
                        settings.seed(),
                        rounds.size(),
                        actions().values().stream().mapToInt(Integer::intValue).sum(),
                        sum(RoundResult::acknowledged),
                        sum(RoundResult::failed),
                        sum(RoundResult::unknown),
                        sum(RoundResult::lost),
                        sum(RoundResult::lostByRight),
                        sum(RoundResult::phantom),
                        sum(RoundResult::duplicated),
                        sum(RoundResult::reordered),
                        rounds.stream().allMatch(RoundResult::converged)
                                ? "all members converged"
                                : "NOT ALL MEMBERS CONVERGED",
                        settings.seed(),
                        settings.minutes(),
                        settings.firstRound() == 0 ? "" : " ROUND=" + settings.firstRound());
    }
}
