package io.quantadb.node.coordinator;

import io.quantadb.node.cluster.Timers;
import io.quantadb.node.common.NodeException;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a node must never forget, whatever happens to its process: who it is and what it promised. Kept as
 * {@code key=value} lines in a checksummed slot file; every change is flushed before anything that depends on it.
 *
 * @param incarnation this disk's life, random and positive
 * @param clusterId the cluster that this disk belongs to, empty before it has joined one
 * @param systemIdentifier PostgreSQL's identifier of that cluster's data, 0 when not known yet
 * @param generation the data directory's generation
 * @param promise the epoch below which this node never relays again
 * @param peers where other members were last known to be reached on their Raft ports, for the first dial after a start
 * @param timers of the cluster, known since it was formed or joined; null before, and on a disk of an older release
 */
public record NodeFacts(
        NodeId node,
        long incarnation,
        String clusterId,
        long systemIdentifier,
        long generation,
        long promise,
        String peers,
        @Nullable Timers timers) {
    private static final String FORMAT = "1";

    public PeerId self() {
        return new PeerId(node, incarnation);
    }

    public boolean isMember() {
        return !clusterId.isEmpty();
    }

    /** What Raft's messages of this cluster carry, so that those of another are not taken for them (FNV-1a of its id). */
    public long clusterHash() {
        long hash = 0xcbf29ce484222325L;
        for (int i = 0; i < clusterId.length(); i++) {
            hash = (hash ^ clusterId.charAt(i)) * 0x100000001b3L;
        }
        return hash;
    }

    public NodeFacts withPromise(long epoch) {
        return new NodeFacts(
                node, incarnation, clusterId, systemIdentifier, generation, Math.max(promise, epoch), peers, timers);
    }

    public NodeFacts withGeneration(long next) {
        return new NodeFacts(node, incarnation, clusterId, systemIdentifier, next, promise, peers, timers);
    }

    public NodeFacts withCluster(String id, long system) {
        return new NodeFacts(node, incarnation, id, system, generation, promise, peers, timers);
    }

    public NodeFacts withPeers(String known) {
        return new NodeFacts(node, incarnation, clusterId, systemIdentifier, generation, promise, known, timers);
    }

    public NodeFacts withTimers(Timers ofCluster) {
        return new NodeFacts(node, incarnation, clusterId, systemIdentifier, generation, promise, peers, ofCluster);
    }

    byte[] encode() {
        return ("format=" + FORMAT + "\nnode=" + node + "\nincarnation=" + incarnation + "\ncluster=" + clusterId
                        + "\nsystem=" + systemIdentifier + "\ngeneration=" + generation + "\npromise=" + promise
                        + "\npeers=" + peers + (timers == null ? "" : "\ntimers=" + timers.text()) + "\n")
                .getBytes(StandardCharsets.UTF_8);
    }

    /** Reads what {@link #encode} wrote; a checksum has been checked already, so anything odd is a newer format. */
    static NodeFacts decode(byte[] bytes) {
        Map<String, String> values = new LinkedHashMap<>();
        for (String line : new String(bytes, StandardCharsets.UTF_8).split("\n")) {
            int eq = line.indexOf('=');
            if (eq > 0) {
                values.put(line.substring(0, eq), line.substring(eq + 1));
            }
        }
        if (!FORMAT.equals(values.get("format"))) {
            throw new NodeException.LocalFault(
                    "the node's facts on disk have format %s, this release reads %s: run the release that wrote them"
                            .formatted(values.get("format"), FORMAT));
        }
        return new NodeFacts(
                new NodeId(values.getOrDefault("node", "")),
                number(values, "incarnation"),
                values.getOrDefault("cluster", ""),
                number(values, "system"),
                number(values, "generation"),
                number(values, "promise"),
                values.getOrDefault("peers", ""),
                timers(values.get("timers")));
    }

    private static @Nullable Timers timers(@Nullable String text) {
        return text == null ? null : Timers.parse(text);
    }

    private static long number(Map<String, String> values, String key) {
        return Long.parseLong(values.getOrDefault(key, "0"));
    }
}
