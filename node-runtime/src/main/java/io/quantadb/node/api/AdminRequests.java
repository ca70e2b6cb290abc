package io.quantadb.node.api;

import io.quantadb.node.cluster.AdminRequest;
import io.quantadb.node.cluster.Settings;
import io.quantadb.node.cluster.Tuning;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PlaceBounds;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads the bodies of the changes of a running cluster. */
final class AdminRequests {
    private static final long PAUSE_MAX_SECONDS = 366 * 86_400L;
    private static final Pattern ANY = Pattern.compile("(?s).{1,253}");

    private static final Pattern ANY_OR_NONE = Pattern.compile("(?s).{0,253}");

    /** In place of a node id. */
    private static final String PRIMARY = "primary";

    private AdminRequests() {}

    /**
     * @param wallMillis now
     */
    static AdminRequest parse(Route route, byte[] body, long wallMillis) throws Fields.Malformed {
        return switch (route) {
            case REMOVE -> {
                Fields fields = Fields.parse(body, Set.of("node", "anyway"));
                yield new AdminRequest.RemoveMember(node(fields), fields.flag("anyway", false));
            }
            case MAINTENANCE -> {
                Fields fields = Fields.parse(body, Set.of("node", "maintenance"));
                yield new AdminRequest.Maintain(node(fields), fields.flag("maintenance", true));
            }
            case UPSTREAM -> {
                Fields fields = Fields.parse(body, Set.of("node", "upstream"));
                NodeId upstream = named(fields, "upstream");
                if (upstream == null) {
                    throw new Fields.Malformed("'upstream' is missing");
                }
                yield new AdminRequest.SetUpstream(
                        node(fields), upstream.value().equals(PRIMARY) ? null : upstream);
            }
            case PLACEMENT ->
                placement(Fields.parse(body, Set.of("node", "priority", "zone", "own_priority", "own_zone")));
            case FENCE -> {
                Fields fields = Fields.parse(body, Set.of("node", "fenced", "anyway"));
                yield new AdminRequest.FenceMember(
                        node(fields), fields.flag("fenced", true), fields.flag("anyway", false));
            }
            case RESTART -> {
                Fields fields = Fields.parse(body, Set.of("node", "anyway"));
                yield new AdminRequest.RestartServer(node(fields), fields.flag("anyway", false));
            }
            case FAILOVER -> {
                Fields fields = Fields.parse(body, Set.of("target", "confirm", "accept_data_loss"));
                String confirm = fields.text("confirm", ANY, "the cluster's name");
                yield new AdminRequest.ForceFailover(
                        named(fields, "target"),
                        confirm == null ? "" : confirm,
                        fields.flag("accept_data_loss", false));
            }
            case PAUSE -> {
                Fields fields = Fields.parse(body, Set.of("maintenance", "for_seconds"));
                Long seconds = fields.number("for_seconds", 1, PAUSE_MAX_SECONDS);
                boolean on = fields.flag("maintenance", true);
                if (!on && seconds != null) {
                    throw new Fields.Malformed("'for_seconds' is for a maintenance that begins");
                }
                yield new AdminRequest.Pause(
                        !on ? 0 : seconds == null ? Settings.UNTIL_ENDED : wallMillis + seconds * 1_000);
            }
            case MODE -> mode(Fields.parse(body, Set.of("mode", "policy", "shrink_after_ms", "minority_reads")));
            case SETTINGS ->
                tune(Fields.parse(
                        body,
                        Set.of(
                                "election_timeout_limit_ms",
                                "move_delay_ms",
                                "failover_across_regions",
                                "slow_standby_after_ms")));
            default -> throw new IllegalArgumentException(route + " changes no running cluster");
        };
    }

    /** What is wanted of each, in an example. */
    static String example(Route route) {
        return switch (route) {
            case REMOVE, RESTART -> "send {\"node\": \"node3\"}";
            case PAUSE -> "send {\"maintenance\": true, \"for_seconds\": 3600}";
            case FAILOVER -> "send {\"target\": \"node3\"} to hear what would be lost";
            case UPSTREAM -> "send {\"node\": \"node4\", \"upstream\": \"node2\"}, or \"primary\" for the upstream";
            case PLACEMENT -> "send {\"node\": \"node3\", \"priority\": 50, \"zone\": \"eu/b\"}";
            case FENCE -> "send {\"node\": \"node3\", \"fenced\": true}";
            case MAINTENANCE -> "send {\"node\": \"node3\", \"maintenance\": true}";
            case SETTINGS -> "send {\"move_delay_ms\": 30000, \"failover_across_regions\": false}";
            default -> "send {\"mode\": \"quorum\", \"policy\": \"block\"}";
        };
    }

    private static AdminRequest mode(Fields fields) throws Fields.Malformed {
        Settings.Mode mode = fields.choice("mode", Settings.Mode.class);
        Settings.Policy policy = fields.choice("policy", Settings.Policy.class);
        Long after = fields.number("shrink_after_ms", 0, Settings.SHRINK_AFTER_MAX_MILLIS);
        Settings.MinorityReads reads = fields.choice("minority_reads", Settings.MinorityReads.class);
        boolean rule = mode != null || policy != null || after != null;
        if (reads != null && rule) {
            throw new Fields.Malformed("'minority_reads' is changed by a request of its own");
        }
        if (reads != null) {
            return new AdminRequest.ChangeMinorityReads(reads);
        }
        if (!rule) {
            throw new Fields.Malformed("the body changes nothing");
        }
        Integer shrinkAfter = after == null ? null : after.intValue();
        return new AdminRequest.ChangeMode(mode, policy, shrinkAfter);
    }

    private static AdminRequest placement(Fields fields) throws Fields.Malformed {
        Long priority = fields.number("priority", 0, PlaceBounds.PRIORITY_MAX);
        String zone = fields.text("zone", ANY_OR_NONE, "a text of at most 253 characters");
        try {
            return new AdminRequest.SetPlacement(
                    node(fields),
                    priority == null ? null : priority.intValue(),
                    zone,
                    fields.flag("own_priority", false),
                    fields.flag("own_zone", false));
        } catch (IllegalArgumentException e) {
            throw new Fields.Malformed(String.valueOf(e.getMessage()));
        }
    }

    private static AdminRequest tune(Fields fields) throws Fields.Malformed {
        Long limit = fields.number("election_timeout_limit_ms", 1, Tuning.ELECTION_LIMIT_MAX_MILLIS);
        Long delay = fields.number("move_delay_ms", 0, Tuning.MOVE_DELAY_MAX_MILLIS);
        Long slow = fields.number("slow_standby_after_ms", Tuning.SLOW_AFTER_MIN_MILLIS, Tuning.SLOW_AFTER_MAX_MILLIS);
        boolean regions = fields.has("failover_across_regions");
        if (limit == null && delay == null && slow == null && !regions) {
            throw new Fields.Malformed("the body changes nothing");
        }
        return new AdminRequest.Tune(
                orKept(limit),
                orKept(delay),
                !regions ? -1 : fields.flag("failover_across_regions", true) ? 1 : 0,
                orKept(slow));
    }

    private static int orKept(@Nullable Long value) {
        return value == null ? -1 : (int) (long) value;
    }

    private static NodeId node(Fields fields) throws Fields.Malformed {
        NodeId node = named(fields, "node");
        if (node == null) {
            throw new Fields.Malformed("'node' is missing");
        }
        return node;
    }

    private static @Nullable NodeId named(Fields fields, String field) throws Fields.Malformed {
        String text = fields.text(field, ANY, "a node id");
        try {
            return text == null ? null : new NodeId(text);
        } catch (IllegalArgumentException e) {
            throw new Fields.Malformed("'%s': %s".formatted(field, e.getMessage()));
        }
    }
}
