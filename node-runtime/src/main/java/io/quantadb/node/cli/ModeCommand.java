package io.quantadb.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quantadb.node.config.Durations;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code quantadb mode}: who must acknowledge a commit, shown or changed while the cluster runs. */
@Command(
        name = "mode",
        mixinStandardHelpOptions = true,
        description = "Show or change who must acknowledge a commit, and what happens when they cannot.",
        footer = {
            "",
            "quorum  with the primary, a majority of the data voters",
            "all     every data voter",
            "async   nobody: a failover may lose the last commits",
            "block   commits wait while too few are usable",
            "shrink  after --shrink-after, commits wait for as many as are usable",
            "",
            "--minority-reads: which nodes serve reads, possibly old ones, while they know of no leader:",
            "none, replicas, or all (a former primary too, which may show what the majority never had)"
        })
final class ModeCommand implements Callable<Integer> {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final Duration STAYS = Duration.ofSeconds(5);
    private static final List<String> MODES = List.of("quorum", "all", "async");
    private static final List<String> POLICIES = List.of("block", "shrink");
    private static final List<String> READERS = List.of("none", "replicas", "all");

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private ClusterFlags flags = new ClusterFlags();

    @Parameters(arity = "0..1", paramLabel = "MODE", description = "quorum, all or async; shown when it is left out")
    private @Nullable String mode;

    @Option(names = "--policy", paramLabel = "POLICY", description = "block or shrink")
    private @Nullable String policy;

    @Option(names = "--shrink-after", paramLabel = "TIME", description = "for policy shrink, such as 10s")
    private @Nullable String shrinkAfter;

    @Option(names = "--minority-reads", paramLabel = "WHO", description = "none, replicas or all")
    private @Nullable String minorityReads;

    private final Map<String, String> environment;

    ModeCommand(Map<String, String> environment) {
        this.environment = environment;
    }

    @Override
    public Integer call() {
        // All of it before any of it is changed.
        oneOf("MODE", mode, MODES);
        oneOf("--policy", policy, POLICIES);
        oneOf("--minority-reads", minorityReads, READERS);
        ObjectNode change = MAPPER.createObjectNode();
        if (mode != null) {
            change.put("mode", mode);
        }
        if (policy != null) {
            change.put("policy", policy);
        }
        if (shrinkAfter != null) {
            change.put(
                    "shrink_after_ms",
                    Waits.duration("--shrink-after", shrinkAfter).toMillis());
        }
        JsonNode now = change.isEmpty() ? flags.view(environment).body() : changed(change);
        if (minorityReads != null) {
            ObjectNode reads = MAPPER.createObjectNode().put("minority_reads", minorityReads);
            flags.change(environment, "/cluster/mode", reads);
            now = Waits.until(
                    Duration.ofSeconds(10),
                    () -> flags.view(environment).body(),
                    view -> view.path("minority_reads").asText().equals(minorityReads),
                    view -> "nobody says yet that it is so",
                    "see quantadb mode");
        }
        spec.commandLine()
                .getOut()
                .println("mode %s, policy %s; commits wait for %s; without a leader reads on: %s"
                        .formatted(
                                now.path("mode").asText(),
                                policy(now),
                                StatusTable.rule(now),
                                now.path("minority_reads").asText()));
        return ExitCode.OK.status();
    }

    private static void oneOf(String what, @Nullable String value, List<String> words) {
        if (value != null && !words.contains(value)) {
            throw new Failure(
                    ExitCode.CONFIG,
                    "%s is one of %s, not '%s'".formatted(what, String.join(", ", words), value),
                    "see quantadb mode --help");
        }
    }

    private static String policy(JsonNode now) {
        String policy = now.path("policy").asText();
        return policy.equals("shrink")
                ? "shrink after "
                        + Durations.format(
                                Duration.ofMillis(now.path("shrink_after_ms").asLong()))
                : policy;
    }

    /**
     * Waits until the members say so and the rule is the one that the mode calls for. One that stays another, as where too
     * few are usable, is shown as it is.
     */
    private JsonNode changed(ObjectNode change) {
        flags.change(environment, "/cluster/mode", change);
        long asked = System.nanoTime();
        return Waits.until(
                Duration.ofSeconds(30),
                () -> flags.view(environment).body(),
                view -> isSo(change, view)
                        && (asks(view) == wanted(view) || System.nanoTime() - asked > STAYS.toNanos()),
                view -> "the rule is still %s after 30s"
                        .formatted(view.path("rule").asText()),
                "it goes on: a new rule holds once those that it names have acknowledged; see quantadb status");
    }

    private static boolean isSo(ObjectNode change, JsonNode view) {
        return !view.path("rule").asText().contains(" AND ")
                && change.properties().stream()
                        .allMatch(f -> f.getValue()
                                .asText()
                                .equals(view.path(f.getKey()).asText()));
    }

    /** How many the rule asks for: of {@code ANY 2 of (…)}, 2. */
    private static long asks(JsonNode view) {
        String rule = view.path("rule").asText();
        return rule.startsWith("ANY ") ? Long.parseLong(rule.split(" ", 3)[1]) : 0;
    }

    /** How many acknowledge beside the primary when all are well. */
    private static long wanted(JsonNode view) {
        long voters = view.path("nodes")
                .valueStream()
                .filter(m -> m.path("is_voter").asBoolean()
                        && m.path("kind").asText().equals("DATA"))
                .count();
        return switch (view.path("mode").asText()) {
            case "all" -> voters - 1;
            case "quorum" -> voters / 2;
            default -> 0;
        };
    }
}
