package io.quantadb.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quantadb.node.common.PlaceBounds;
import java.io.PrintWriter;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code quantadb members}: who is in the cluster and with which part; {@code remove} takes a member out for good,
 * {@code maintenance} keeps one from being promoted, {@code resync} has one copied anew, {@code set} changes
 * its priority, its zone, and from whom a read replica streams. A node is added by starting it with another's address.
 */
@Command(
        name = "members",
        mixinStandardHelpOptions = true,
        description =
                "Show the members; take one out for good, keep one from being promoted, have one copied anew, or set"
                        + " its priority, its zone, or from whom it streams.",
        footer = {"", "A node is added by starting it: quantadb --cluster-mode replica --primary HOST:6432 …"})
final class MembersCommand implements Callable<Integer> {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    /** Longer than a leader waits for a member to begin. */
    static final Duration BEGINS = Duration.ofSeconds(45);

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private ClusterFlags flags = new ClusterFlags();

    private final Map<String, String> environment;

    MembersCommand(Map<String, String> environment) {
        this.environment = environment;
    }

    @Override
    public Integer call() {
        spec.commandLine().getOut().print(table(flags.view(environment).body()));
        return ExitCode.OK.status();
    }

    private static String table(JsonNode body) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("NODE", "KIND", "VOTES", "ACKS", "PRIORITY", "ZONE", "UPSTREAM", "NOTE"));
        for (JsonNode m : body.path("nodes")) {
            rows.add(List.of(
                    m.path("id").asText(),
                    m.path("kind").asText(),
                    m.path("is_voter").asBoolean() ? "yes" : "no",
                    m.path("acknowledges").asBoolean() ? "yes" : "no",
                    placed(m, "priority"),
                    placed(m, "zone"),
                    upstream(m),
                    note(m, body)));
        }
        return Columns.render(rows)
                + "mode %s, policy %s; commits wait for %s%n"
                        .formatted(
                                body.path("mode").asText(), body.path("policy").asText(), StatusTable.rule(body));
    }

    /** What holds; and, where it was set by command, what the node's own configuration says. */
    private static String placed(JsonNode m, String what) {
        String holds = shown(m.path(what).asText());
        return m.path(what + "_set").asBoolean()
                ? "%s (set; own %s)"
                        .formatted(holds, shown(m.path("own_" + what).asText()))
                : holds;
    }

    private static String shown(String text) {
        return text.isEmpty() ? "-" : text;
    }

    /** From whom it streams; and, where that is another, from whom it is to. */
    private static String upstream(JsonNode m) {
        String now = m.path("upstream").asText();
        String wanted = m.path("upstream_wanted").asText();
        return wanted.isEmpty() || wanted.equals(now) ? shown(now) : "%s (wanted %s)".formatted(shown(now), wanted);
    }

    private static String note(JsonNode m, JsonNode body) {
        return m.path("leaving").asBoolean()
                ? "is being removed"
                : m.path("fenced").asBoolean()
                        ? "fenced"
                        : m.path("maintenance").asBoolean()
                                ? "in maintenance"
                                : m.path("id")
                                                .asText()
                                                .equals(body.path("primary").asText())
                                        ? "primary"
                                        : "";
    }

    @Command(
            name = "remove",
            mixinStandardHelpOptions = true,
            description =
                    "Take a member out for good. Its data stays on its disk; it may only come back with an empty one.")
    int remove(
            @Mixin ClusterFlags to,
            @Parameters(paramLabel = "NODE", description = "the member's node id") String node,
            @Option(names = "--anyway", description = "also where two voters would be left") boolean anyway,
            @Option(
                            names = "--timeout",
                            paramLabel = "TIME",
                            defaultValue = "60s",
                            description = "how long to wait until it is out (default ${DEFAULT-VALUE})")
                    String timeout) {
        Duration wait = Waits.duration("--timeout", timeout);
        PrintWriter out = spec.commandLine().getOut();
        JsonNode body = MAPPER.createObjectNode().put("node", node).put("anyway", anyway);
        out.println(to.change(environment, "/cluster/members/remove", body));
        JsonNode now = Waits.until(
                wait,
                () -> to.view(environment).body(),
                view -> member(view, node) == null,
                view -> node + " is still a member after " + timeout,
                "it goes on: see quantadb members; a member leaves once the others can acknowledge without it");
        out.println(node + " is no member any more; stop it, and empty its folder before it may come back");
        out.print(table(now));
        return ExitCode.OK.status();
    }

    @Command(
            name = "maintenance",
            mixinStandardHelpOptions = true,
            description = "Keep a member from being promoted by itself, or let it again with --off.")
    int maintenance(
            @Mixin ClusterFlags to,
            @Parameters(paramLabel = "NODE", description = "the member's node id") String node,
            @Option(names = "--off", description = "it may be promoted again") boolean off) {
        JsonNode body = MAPPER.createObjectNode().put("node", node).put("maintenance", !off);
        to.change(environment, "/cluster/members/maintenance", body);
        JsonNode now = Waits.until(
                Duration.ofSeconds(10),
                () -> to.view(environment).body(),
                view -> {
                    JsonNode m = member(view, node);
                    return m != null && m.path("maintenance").asBoolean() != off;
                },
                view -> "nobody says yet that it is so",
                "see quantadb members");
        spec.commandLine().getOut().print(table(now));
        return ExitCode.OK.status();
    }

    @Command(
            name = "set",
            mixinStandardHelpOptions = true,
            description =
                    "Change what is kept of a member: its priority, its zone, or from whom a read replica streams. What is set"
                            + " holds, whatever the node's own configuration says and however often it restarts.")
    int set(
            @Mixin ClusterFlags to,
            @Parameters(paramLabel = "NODE", description = "the member's node id") String node,
            @Option(
                            names = "--upstream",
                            paramLabel = "NODE",
                            description = "a member to stream from, or the word primary; by itself")
                    @Nullable
                    String upstream,
            @Option(
                            names = "--priority",
                            paramLabel = "N",
                            description = "0 to 1000; the highest is preferred as primary, 0 is never")
                    @Nullable
                    Integer priority,
            @Option(
                            names = "--zone",
                            paramLabel = "ZONE",
                            description = "ZONE in the member's region, REGION/ZONE, or /ZONE in none")
                    @Nullable
                    String zone,
            @Option(names = "--own-priority", description = "that of the node's own configuration holds again")
                    boolean ownPriority,
            @Option(names = "--own-zone", description = "that of the node's own configuration holds again")
                    boolean ownZone) {
        boolean placed = priority != null || zone != null || ownPriority || ownZone;
        if (placed == (upstream != null)) {
            throw new Failure(
                    ExitCode.CONFIG,
                    placed ? "--upstream is set by a command of its own" : "nothing is set",
                    "give --priority N, --zone ZONE, --own-priority or --own-zone, or --upstream NODE alone; nothing was"
                            + " changed");
        }
        requireBounds(priority, zone);
        return upstream != null ? feed(to, node, upstream) : place(to, node, priority, zone, ownPriority, ownZone);
    }

    private static void requireBounds(@Nullable Integer priority, @Nullable String zone) {
        try {
            if (priority != null) {
                PlaceBounds.requirePriority(priority);
            }
            if (zone != null) {
                PlaceBounds.requireZone(zone);
            }
        } catch (IllegalArgumentException e) {
            throw new Failure(ExitCode.CONFIG, String.valueOf(e.getMessage()), "see quantadb members set --help", e);
        }
    }

    private int feed(ClusterFlags to, String node, String upstream) {
        String wanted = upstream.equals("primary") ? "" : upstream;
        JsonNode body = MAPPER.createObjectNode().put("node", node).put("upstream", upstream);
        return told(
                to,
                "/cluster/members/upstream",
                body,
                node,
                m -> m.path("upstream_wanted").asText().equals(wanted));
    }

    private int place(
            ClusterFlags to,
            String node,
            @Nullable Integer priority,
            @Nullable String zone,
            boolean ownPriority,
            boolean ownZone) {
        ObjectNode body = MAPPER.createObjectNode().put("node", node);
        if (priority != null) {
            body.put("priority", priority);
        }
        if (zone != null) {
            body.put("zone", zone);
        }
        if (ownPriority) {
            body.put("own_priority", true);
        }
        if (ownZone) {
            body.put("own_zone", true);
        }
        return told(
                to,
                "/cluster/members/placement",
                body,
                node,
                m -> (priority == null
                                || (m.path("priority_set").asBoolean()
                                        && m.path("priority").asInt() == priority))
                        && (zone == null || (m.path("zone_set").asBoolean() && stands(m, zone)))
                        && !(ownPriority && m.path("priority_set").asBoolean())
                        && !(ownZone && m.path("zone_set").asBoolean()));
    }

    /** Whether its zone is the one that was written, in whatever region where none was. */
    private static boolean stands(JsonNode m, String written) {
        String zone = m.path("zone").asText();
        return written.contains("/")
                ? zone.equals(written.startsWith("/") ? written.substring(1) : written)
                : zone.equals(written) || zone.endsWith("/" + written);
    }

    /** Asks for a change of a member, and waits until somebody says that it is so. */
    private int told(ClusterFlags to, String path, JsonNode body, String node, Predicate<JsonNode> so) {
        PrintWriter out = spec.commandLine().getOut();
        out.println(to.change(environment, path, body));
        JsonNode now = Waits.until(
                Duration.ofSeconds(10),
                () -> to.view(environment).body(),
                view -> {
                    JsonNode m = member(view, node);
                    return m != null && so.test(m);
                },
                view -> "nobody says yet that it is so",
                "see quantadb members");
        out.print(table(now));
        return ExitCode.OK.status();
    }

    @Command(
            name = "resync",
            mixinStandardHelpOptions = true,
            description = "Have a member throw its data away and copy the primary's anew.")
    int resync(
            @Mixin ClusterFlags to,
            @Parameters(paramLabel = "NODE", description = "the member's node id") String node,
            @Option(names = "--anyway", description = "also where commits then wait until it is back") boolean anyway,
            @Option(
                            names = "--timeout",
                            paramLabel = "TIME",
                            defaultValue = "1h",
                            description = "how long to wait until it follows again (default ${DEFAULT-VALUE})")
                    String timeout) {
        Duration wait = Waits.duration("--timeout", timeout);
        PrintWriter out = spec.commandLine().getOut();
        JsonNode all = to.view(environment).body();
        JsonNode before = member(all, node);
        if (before == null) {
            throw new Failure(
                    ExitCode.REFUSED,
                    "no member is called %s; the members are %s".formatted(node, names(all)),
                    "nothing was changed; see quantadb members");
        }
        long generation = before.path("generation").asLong();
        String path = "/_raft/force-resync?target=%s&anyway=%s"
                .formatted(URLEncoder.encode(node, StandardCharsets.UTF_8), anyway);
        out.println(to.change(environment, path, MAPPER.createObjectNode()));
        out.flush();
        long asked = System.nanoTime();
        JsonNode now = Waits.until(
                wait,
                () -> begun(to.view(environment).body(), node, generation, asked),
                view -> copied(member(view, node), generation),
                view -> node + " does not follow yet after " + timeout,
                "it goes on: see quantadb status");
        out.println(node + " follows again, with a new copy");
        out.print(table(now));
        return ExitCode.OK.status();
    }

    /** The view; throws once the leader has given the order up, since the member never began. */
    static JsonNode begun(JsonNode view, String node, long before, long asked) {
        JsonNode m = member(view, node);
        boolean waits = m == null || m.path("generation").asLong() <= before;
        if (waits && System.nanoTime() - asked > BEGINS.toNanos()) {
            throw new Failure(
                    ExitCode.ABORTED,
                    "%s has not begun to copy, and the order was given up".formatted(node),
                    "the log of the leader says why; see quantadb status, and ask again");
        }
        return view;
    }

    private static String names(JsonNode view) {
        return view.path("nodes").valueStream().map(m -> m.path("id").asText()).collect(Collectors.joining(", "));
    }

    private static boolean copied(@Nullable JsonNode m, long before) {
        return m != null
                && m.path("generation").asLong() > before
                && m.path("health").asText().equals("healthy")
                && (m.path("acknowledges").asBoolean()
                        || m.path("kind").asText().equals("READ_REPLICA"));
    }

    private static @Nullable JsonNode member(JsonNode view, String node) {
        for (JsonNode m : view.path("nodes")) {
            if (m.path("id").asText().equals(node)) {
                return m;
            }
        }
        return null;
    }
}
