package io.quantadb.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quantadb.node.config.Durations;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code quantadb settings}: when the cluster fails over by itself, shown or changed while it runs. */
@Command(
        name = "settings",
        mixinStandardHelpOptions = true,
        description = "Show or change when the cluster fails over by itself, and how quickly.",
        footer = {
            "",
            "election_timeout_limit   how far the election timeout is raised by itself",
            "move_delay               how long the second move away from a living primary",
            "                         waits; each further one twice as long",
            "failover_across_regions  on, or off: a failover stays in the primary's region",
            "slow_standby_after       how long a standby is behind until it is called slow",
            "",
            "For example: quantadb settings move_delay=30s failover_across_regions=off"
        })
final class SettingsCommand implements Callable<Integer> {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String PATH = "/cluster/settings";
    private static final String REGIONS = "failover_across_regions";
    private static final List<String> TIMES = List.of("election_timeout_limit", "move_delay", "slow_standby_after");

    /** Whatever the cluster: that the election timeout's limit is not below the timeout itself, the leader knows. */
    private record Bounds(Duration least, Duration most) {}

    private static final Map<String, Bounds> BOUNDS = Map.of(
            "election_timeout_limit", new Bounds(Duration.ofMillis(50), Duration.ofMinutes(1)),
            "move_delay", new Bounds(Duration.ZERO, Duration.ofMinutes(5)),
            "slow_standby_after", new Bounds(Duration.ofMillis(100), Duration.ofDays(1)));

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private ClusterFlags flags = new ClusterFlags();

    @Parameters(arity = "0..*", paramLabel = "NAME=VALUE", description = "what to change; all are shown without one")
    private List<String> changes = List.of();

    private final Map<String, String> environment;

    SettingsCommand(Map<String, String> environment) {
        this.environment = environment;
    }

    @Override
    public Integer call() {
        ObjectNode change = MAPPER.createObjectNode();
        changes.forEach(text -> read(text, change));
        JsonNode now = change.isEmpty() ? flags.get(environment, PATH) : changed(change);
        PrintWriter out = spec.commandLine().getOut();
        out.println("election_timeout=%s to %s (formed with %s), lease %s"
                .formatted(
                        time(now, "election_timeout"),
                        time(now, "election_timeout_max"),
                        time(now, "election_timeout_formed"),
                        time(now, "lease")));
        TIMES.forEach(name -> out.println(name + "=" + time(now, name)));
        out.println(REGIONS + "=" + (now.path(REGIONS).asBoolean() ? "on" : "off"));
        return ExitCode.OK.status();
    }

    private static String time(JsonNode settings, String name) {
        return Durations.format(Duration.ofMillis(settings.path(name + "_ms").asLong()));
    }

    private static void read(String text, ObjectNode change) {
        int at = text.indexOf('=');
        String name = at < 0 ? text : text.substring(0, at);
        String value = at < 0 ? "" : text.substring(at + 1);
        if (at < 0 && (TIMES.contains(name) || name.equals(REGIONS))) {
            throw new Failure(
                    ExitCode.CONFIG,
                    "'%s' is to be what?".formatted(name),
                    "write %s=%s, or no name to see all".formatted(name, name.equals(REGIONS) ? "off" : "30s"));
        }
        if (name.equals(REGIONS)) {
            if (!value.equals("on") && !value.equals("off")) {
                throw new Failure(
                        ExitCode.CONFIG,
                        "%s is on or off, not '%s'".formatted(REGIONS, value),
                        "write %s=off".formatted(REGIONS));
            }
            change.put(REGIONS, value.equals("on"));
        } else if (TIMES.contains(name)) {
            change.put(name + "_ms", duration(name, value).toMillis());
        } else {
            throw new Failure(
                    ExitCode.CONFIG,
                    "'%s' is not a setting that can be changed here".formatted(name),
                    "the settings are %s and %s; others stand in docs/reference/configuration.md"
                            .formatted(String.join(", ", TIMES), REGIONS));
        }
    }

    private static Duration duration(String name, String value) {
        Duration time;
        try {
            time = Durations.parse(value);
        } catch (IllegalArgumentException e) {
            throw new Failure(
                    ExitCode.CONFIG,
                    "%s=%s %s".formatted(name, value, e.getMessage()),
                    "write %s=30s".formatted(name),
                    e);
        }
        Bounds bounds = Objects.requireNonNull(BOUNDS.get(name));
        if (time.compareTo(bounds.least()) < 0 || time.compareTo(bounds.most()) > 0) {
            throw new Failure(
                    ExitCode.CONFIG,
                    "%s=%s must be from %s to %s"
                            .formatted(name, value, Durations.format(bounds.least()), Durations.format(bounds.most())),
                    "write %s=30s".formatted(name));
        }
        return time;
    }

    private JsonNode changed(ObjectNode change) {
        flags.change(environment, PATH, change);
        return Waits.until(
                Duration.ofSeconds(10),
                () -> flags.get(environment, PATH),
                now -> change.properties().stream()
                        .allMatch(f -> f.getValue()
                                .asText()
                                .equals(now.path(f.getKey()).asText())),
                now -> "nobody says yet that it is so",
                "see quantadb settings");
    }
}
