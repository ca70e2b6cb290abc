package io.quantadb.operator.testing;

import io.quantadb.operator.nodeapi.FoundingAnswer;
import io.quantadb.operator.nodeapi.NodeAddress;
import io.quantadb.operator.nodeapi.NodeApi;
import io.quantadb.operator.nodeapi.NodesAnswer;
import io.quantadb.operator.nodeapi.StatusAnswer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Nodes on disks that outlive them. Weaker than real ones: a permitted node with an empty disk founds a cluster at once
 * and asks no peer, so that only the operator's own care keeps a second cluster from coming into being. Any thread.
 */
public final class TestingFleet implements NodeApi {
    /** How a node is found. */
    public enum Mood {
        WELL,
        /** It just starts: its disk may belong to a cluster, and it knows no members yet. */
        STARTING,
        SILENT
    }

    private final Map<String, String> disks = new TreeMap<>();
    private final Map<String, Mood> moods = new TreeMap<>();
    private final List<String> founded = new ArrayList<>();

    /** The cluster on this node's disk; empty when there is none. */
    public synchronized String disk(String node) {
        return disks.getOrDefault(node, "");
    }

    /** Every cluster that some disk belongs to. */
    public synchronized Set<String> clusters() {
        return new HashSet<>(disks.values());
    }

    /** The ids of all clusters that were ever founded, in order. */
    public synchronized List<String> founded() {
        return List.copyOf(founded);
    }

    public synchronized void mood(String node, Mood mood) {
        moods.put(node, mood);
    }

    /** The volume is gone. */
    public synchronized void lose(String node) {
        disks.remove(node);
    }

    /** A node without a cluster is let in by a peer that has one. */
    public synchronized void join(String node, String peer) {
        if (disk(node).isEmpty() && !disk(peer).isEmpty()) {
            disks.put(node, disk(peer));
        }
    }

    private Mood heard(String node) throws IOException {
        Mood mood = moods.getOrDefault(node, Mood.WELL);
        if (mood == Mood.SILENT) {
            throw new IOException("no answer");
        }
        return mood;
    }

    @Override
    public synchronized StatusAnswer status(NodeAddress node) throws IOException {
        boolean blank = disk(node.node()).isEmpty();
        boolean starting = heard(node.node()) == Mood.STARTING;
        boolean knows = !blank && !starting;
        return new StatusAnswer(
                new StatusAnswer.Node(node.node(), knows ? "REPLICA" : "STANDBY", false, false),
                new StatusAnswer.Failover(knows ? 1 : 0, "no leader is known"),
                new StatusAnswer.Cluster(
                        "", knows ? 3 : 0, knows ? "MEMBER" : blank ? "NONE" : "STARTING", disk(node.node())));
    }

    @Override
    public synchronized NodesAnswer nodes(NodeAddress node) throws IOException {
        heard(node.node());
        return new NodesAnswer(List.of());
    }

    @Override
    public synchronized FoundingAnswer found(NodeAddress node, String uid) throws IOException {
        heard(node.node());
        String known = disk(node.node());
        if (known.isEmpty()) {
            known = "%s.%016x".formatted(uid, founded.size());
            founded.add(known);
            disks.put(node.node(), known);
        }
        return known.startsWith(uid + ".")
                ? new FoundingAnswer.Founded(known)
                : new FoundingAnswer.Refused("belongs to " + known);
    }
}
