package io.quantadb.node.api;

import io.quantadb.node.cluster.SwitchoverRequest;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.config.Durations;
import java.time.Duration;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The body of {@code POST /cluster/switchover}: {@code {"target": "node2", "timeout": "30s", "drain": "250ms", "epoch": 7}},
 * each of them optional, an empty body included.
 */
final class SwitchoverOrder {
    private static final Pattern ANY = Pattern.compile("(?s).{0,253}");
    private static final Set<String> FIELDS = Set.of("target", "timeout", "drain", "epoch");

    private SwitchoverOrder() {}

    static Switchovers.Wanted parse(byte[] body) throws Fields.Malformed {
        Fields fields = Fields.parse(body.length == 0 ? new byte[] {'{', '}'} : body, FIELDS);
        return new Switchovers.Wanted(
                target(fields.text("target", ANY, "a node id")),
                duration(fields, "timeout", SwitchoverRequest.TIMEOUT_MILLIS, 1, SwitchoverRequest.TIMEOUT_MILLIS_MAX),
                duration(fields, "drain", SwitchoverRequest.DRAIN_MILLIS, 0, SwitchoverRequest.DRAIN_MILLIS_MAX),
                fields.number("epoch", 1, Long.MAX_VALUE));
    }

    private static @Nullable NodeId target(@Nullable String text) throws Fields.Malformed {
        if (text == null || text.isEmpty()) {
            return null;
        }
        try {
            return new NodeId(text);
        } catch (IllegalArgumentException e) {
            throw new Fields.Malformed("'target': " + e.getMessage());
        }
    }

    private static Duration duration(Fields fields, String field, int usualMs, int leastMs, int mostMs)
            throws Fields.Malformed {
        String text = fields.text(field, ANY, "a time such as 30s or 250ms");
        if (text == null) {
            return Duration.ofMillis(usualMs);
        }
        Duration read;
        try {
            read = Durations.parse(text);
        } catch (IllegalArgumentException e) {
            throw new Fields.Malformed("'%s' %s".formatted(field, e.getMessage()));
        }
        if (read.compareTo(Duration.ofMillis(leastMs)) < 0 || read.compareTo(Duration.ofMillis(mostMs)) > 0) {
            throw new Fields.Malformed("'%s' is %s and must be from %d ms to %s"
                    .formatted(field, text, leastMs, Durations.format(Duration.ofMillis(mostMs))));
        }
        return read;
    }
}
