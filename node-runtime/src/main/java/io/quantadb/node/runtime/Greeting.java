package io.quantadb.node.runtime;

import io.quantadb.node.cluster.Addresses;
import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.consensus.RaftStatus;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What nodes say to each other before they share a cluster: the header and the reply of HELLO and JOIN streams, as
 * {@code key=value} lines (UTF-8, 16 KiB at most, unknown keys ignored, so that releases can differ).
 *
 * @param clusterId the cluster the speaker belongs to, empty when it knows of none
 * @param members where the members are reached, by node id; empty before joining
 * @param leader the Raft leader as the speaker knows it, empty when unknown
 */
record Greeting(
        NodeId node,
        long incarnation,
        String clusterId,
        long systemIdentifier,
        String leader,
        Map<NodeId, Addresses> members,
        Map<String, String> extra) {
    /** In {@link #extra}: the cluster's {@code Timers}, said by every member. */
    static final String TIMERS = "timers";

    /** In {@link #extra} of who asks to be let in: the newest {@code ClusterVersion} that it reads. */
    static final String READS = "reads";

    private static final String MEMBER = "member.";
    private static final String FOUNDING = "founding";

    /** What a node adds that is founding a cluster, or asks whether it may. */
    static Map<String, String> founding(String uid) {
        return uid.isEmpty() ? Map.of() : Map.of(FOUNDING, uid);
    }

    /** A member tells the timers that all must use, and a leader whom it knows. */
    static Map<String, String> ofMember(ClusterState state, @Nullable RaftStatus raft) {
        String timers = state.settings().timers().text();
        return raft == null || !raft.isLeader() || !raft.ownTermApplied()
                ? Map.of(TIMERS, timers)
                : Map.of(
                        TIMERS,
                        timers,
                        Roll.KEY,
                        Roll.text(raft.term(), state.members().values()));
    }

    boolean isFounding() {
        return !extra.getOrDefault(FOUNDING, "").isEmpty();
    }

    /** Whether it is the very node that asks, listed under another name of its own. */
    boolean isSpeaker(Greeting other) {
        return node.equals(other.node) && incarnation == other.incarnation;
    }

    byte[] encode() {
        StringBuilder text = new StringBuilder();
        line(text, "node", node.value());
        line(text, "incarnation", Long.toString(incarnation));
        line(text, "cluster", clusterId);
        line(text, "system", Long.toString(systemIdentifier));
        line(text, "leader", leader);
        members.forEach((id, a) -> line(text, MEMBER + id, encode(a)));
        extra.forEach((k, v) -> line(text, k, v));
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    static Greeting decode(byte[] bytes) {
        Map<String, String> extra = new LinkedHashMap<>();
        Map<NodeId, Addresses> members = new TreeMap<>();
        for (String line : new String(bytes, StandardCharsets.UTF_8).split("\n")) {
            int eq = line.indexOf('=');
            if (eq <= 0) {
                continue;
            }
            String key = line.substring(0, eq);
            String value = line.substring(eq + 1);
            if (key.startsWith(MEMBER)) {
                members.put(new NodeId(key.substring(MEMBER.length())), addresses(value));
            } else {
                extra.put(key, value);
            }
        }
        NodeId node = new NodeId(take(extra, "node"));
        return new Greeting(
                node,
                Long.parseLong("0" + take(extra, "incarnation")),
                take(extra, "cluster"),
                Long.parseLong(extra.containsKey("system") ? take(extra, "system") : "0"),
                take(extra, "leader"),
                members,
                extra);
    }

    /** Five host:port texts, in the order of {@link Addresses}, separated by commas. */
    static String encode(Addresses a) {
        return a.sql() + "," + a.replication() + "," + a.raft() + "," + a.api() + "," + a.primarySql();
    }

    static Addresses addresses(String text) {
        String[] parts = text.split(",");
        if (parts.length != 5) {
            throw new IllegalArgumentException("'%s' are not the five addresses of a node".formatted(text));
        }
        return new Addresses(
                HostPort.parse(parts[0]),
                HostPort.parse(parts[1]),
                HostPort.parse(parts[2]),
                HostPort.parse(parts[3]),
                HostPort.parse(parts[4]));
    }

    private static String take(Map<String, String> values, String key) {
        String value = values.remove(key);
        return value == null ? "" : value;
    }

    private static void line(StringBuilder text, String key, String value) {
        text.append(key).append('=').append(value.replace('\n', ' ')).append('\n');
    }
}
