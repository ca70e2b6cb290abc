package io.quantadb.node.sim;

import io.quantadb.node.cluster.Action;
import io.quantadb.node.cluster.ProtocolRules;
import io.quantadb.node.cluster.SwitchoverReport;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/** True time, the queue of everything that is going to happen, the only source of randomness, and the trace. */
final class SimWorld {
    static final long MS = 1_000_000L;

    private record Due(long at, long order, Runnable what) implements Comparable<Due> {
        @Override
        public int compareTo(Due o) {
            return at != o.at ? Long.compare(at, o.at) : Long.compare(order, o.order);
        }
    }

    final SplittableRandom random;
    final ProtocolRules rules;
    final SimBugs bugs;
    final SimNetwork network;
    final Oracle oracle;
    final TreeMap<NodeId, SimNode> nodes = new TreeMap<>();
    final List<String> log = new ArrayList<>();
    final boolean keepLog = Boolean.getBoolean("sim.log");

    /** Told when a node has thrown its data away and begins to clone. */
    Consumer<SimNode> whenCloning = n -> {};

    /** Told what a node's core answers to a request. */
    BiConsumer<SimNode, Action.AdminAnswer> onAdminAnswer = (node, answer) -> {};

    /** Told what a node hears of a switchover. */
    BiConsumer<SimNode, SwitchoverReport> onSwitchover = (node, report) -> {};

    long now;
    private long order;
    private long traceHash = 1;
    private long nextIncarnation = 1;
    private long nextRecord = 1;
    private final PriorityQueue<Due> queue = new PriorityQueue<>();

    SimWorld(long seed, ProtocolRules rules, SimBugs bugs) {
        this.random = new SplittableRandom(seed);
        this.rules = rules;
        this.bugs = bugs;
        this.network = new SimNetwork(this);
        this.oracle = new Oracle(this);
    }

    void at(long time, Runnable what) {
        queue.add(new Due(Math.max(time, now), order++, what));
    }

    void after(long nanos, Runnable what) {
        at(now + nanos, what);
    }

    /** What every clock on a wall shows; they are not compared with each other. */
    long wallMillis() {
        return 1_700_000_000_000L + now / MS;
    }

    /** When that clock shows so much. */
    long timeOf(long wallMillis) {
        return (wallMillis - 1_700_000_000_000L) * MS;
    }

    void afterMs(double fromMs, double toMs, Runnable what) {
        after(between(fromMs, toMs), what);
    }

    long between(double fromMs, double toMs) {
        return (long) ((fromMs + random.nextDouble() * (toMs - fromMs)) * MS);
    }

    boolean chance(double p) {
        return random.nextDouble() < p;
    }

    void runUntil(long time) {
        while (!queue.isEmpty() && queue.peek().at <= time) {
            Due due = queue.poll();
            now = due.at;
            due.what.run();
        }
        now = time;
    }

    void trace(String what) {
        traceHash = (traceHash * 31 + what.hashCode()) * 31 + now;
        if (keepLog) {
            log.add("%9.3f %s".formatted(now / 1e9, what));
        }
    }

    long traceHash() {
        return traceHash;
    }

    PeerId newIncarnation(NodeId node) {
        return new PeerId(node, nextIncarnation++);
    }

    long newRecordId() {
        return nextRecord++;
    }
}
