package io.quantadb.node.raft.sim;

import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import io.quantadb.node.raft.Membership;
import io.quantadb.node.raft.RaftCodec;
import io.quantadb.node.raft.RaftConfig;
import io.quantadb.node.raft.RaftMessage;
import io.quantadb.node.raft.RaftRestored;
import io.quantadb.node.raft.RaftRules;
import io.quantadb.node.raft.Role;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.random.RandomGenerator;

/** One run of the simulation: true time, the events to come, the network; one seed decides everything. */
final class SimWorld {
    private record Event(long at, long order, Runnable what) {}

    private static final long CLUSTER = 42;

    final SimProfile profile;
    final RandomGenerator random;
    final RaftRules rules;
    /** What a node runs with; the profile's, but in a test of nodes that disagree. */
    final BiFunction<NodeId, RaftConfig, RaftConfig> timers;

    /** How timers change while the nodes run; never, but in runs about that. */
    SimRetimes retimes = SimRetimes.NONE;

    final List<SimNode> nodes = new ArrayList<>();
    final Invariants invariants;
    /** Which way is cut, and until when. */
    private final Map<String, Long> cut = new HashMap<>();

    boolean calm;
    long now;
    private long order;
    private long incarnations;
    private long traceHash = 1;
    private final StringBuilder lines = new StringBuilder();
    private final PriorityQueue<Event> events = new PriorityQueue<>(
            (a, b) -> a.at() != b.at() ? Long.compare(a.at(), b.at()) : Long.compare(a.order(), b.order()));

    SimWorld(
            long seed,
            RaftRules rules,
            Function<RandomGenerator, SimProfile> draw,
            BiFunction<NodeId, RaftConfig, RaftConfig> timers) {
        this.timers = timers;
        this.random = new SplittableRandom(seed);
        this.rules = rules;
        this.profile = draw.apply(random);
        TreeSet<PeerId> voters = new TreeSet<>();
        for (int i = 0; i < profile.voters(); i++) {
            voters.add(newPeer(new NodeId("n" + i)));
        }
        Membership initial = new Membership(voters, new TreeSet<>());
        this.invariants = new Invariants(this, initial);
        voters.forEach(v -> addNode(v, RaftRestored.groupOf(initial)));
        for (int i = 0; i < profile.spares(); i++) {
            addNode(newPeer(new NodeId("s" + i)), RaftRestored.EMPTY);
        }
        nodes.forEach(SimNode::start);
    }

    PeerId newPeer(NodeId node) {
        return new PeerId(node, ++incarnations);
    }

    private void addNode(PeerId peer, RaftRestored initial) {
        double rate = 1 + (random.nextDouble() * 2 - 1) * profile.drift();
        nodes.add(new SimNode(this, peer, initial, rate, random.nextLong(1_000_000_000_000L)));
    }

    void at(long time, Runnable what) {
        events.add(new Event(Math.max(time, now), order++, what));
    }

    void after(long delay, Runnable what) {
        at(now + delay, what);
    }

    void runUntil(long end) {
        while (!events.isEmpty() && events.peek().at() <= end) {
            Event e = events.poll();
            now = e.at();
            e.what().run();
        }
        now = end;
    }

    void send(PeerId from, PeerId to, RaftMessage m) {
        if (!calm) {
            failAtSend(node(from.node()), m);
        }
        boolean lost = !calm && random.nextDouble() < profile.loss();
        if (lost || isCut(from, to)) {
            return;
        }
        deliver(from, to, m);
        if (!calm && random.nextDouble() < profile.duplicate()) {
            deliver(from, to, m);
        }
    }

    /** The moments just after something was said are those in which forgetting it does harm. */
    private void failAtSend(SimNode sender, RaftMessage m) {
        boolean beat = m instanceof RaftMessage.Heartbeat || m instanceof RaftMessage.HeartbeatReply;
        double crash = profile.crashAtSend() * (m instanceof RaftMessage.VoteReply ? 20 : 1);
        if (!beat && random.nextDouble() < crash) {
            int life = sender.life;
            after(random.nextLong(2_000_000), () -> {
                if (sender.life == life) {
                    crash(sender);
                }
            });
        }
        if (m instanceof RaftMessage.Vote && random.nextDouble() < profile.pauseAtSend()) {
            sender.pausedUntil = now + random.nextLong(profile.outageMs()) * 1_000_000;
        }
    }

    private boolean isCut(PeerId from, PeerId to) {
        return cut.getOrDefault(from.node() + ">" + to.node(), 0L) > now;
    }

    void cut(SimNode from, SimNode to, long until) {
        cut.merge(from.self.node() + ">" + to.self.node(), until, Math::max);
    }

    void heal() {
        cut.clear();
    }

    /** Crashes a node and starts it again, mostly soon. */
    void crash(SimNode n) {
        if (!n.up) {
            return;
        }
        trace("crash " + n.self);
        n.crash();
        int life = n.life;
        long down = 1 + random.nextLong(random.nextBoolean() ? 30 : profile.outageMs());
        after(down * 1_000_000, () -> {
            if (!n.up && n.life == life) {
                n.start();
            }
        });
    }

    private void deliver(PeerId from, PeerId to, RaftMessage m) {
        long delay = 100_000 + random.nextLong(3_000_000);
        if (!calm && random.nextDouble() < profile.slow()) {
            delay = random.nextLong(profile.slowMs() * 1_000_000L);
        }
        byte[] bytes = random.nextInt(16) == 0 ? RaftCodec.encode(new RaftCodec.Envelope(CLUSTER, from, to, m)) : null;
        after(delay, () -> {
            // What is under way when a link goes down is lost with it.
            if (isCut(from, to)) {
                return;
            }
            SimNode n = node(to.node());
            RaftMessage arrived = bytes == null ? m : RaftCodec.decode(bytes).message();
            n.input(() -> n.core.receive(from, to, arrived, n.local()));
        });
    }

    SimNode node(NodeId id) {
        for (SimNode n : nodes) {
            if (n.self.node().equals(id)) {
                return n;
            }
        }
        throw new AssertionError("no node " + id);
    }

    /** The leader of the highest term that runs, or null. */
    SimNode leader() {
        SimNode best = null;
        for (SimNode n : nodes) {
            boolean leads = n.up && n.core.role() == Role.LEADER;
            if (leads && (best == null || n.core.term() > best.core.term())) {
                best = n;
            }
        }
        return best;
    }

    void trace(String line) {
        traceHash = traceHash * 31 + line.hashCode() + now;
        if (lines.length() < 4_000_000) {
            lines.append(now / 1000).append(' ').append(line).append('\n');
        }
    }

    long traceHash() {
        return traceHash;
    }

    String traceText() {
        return lines.toString();
    }
}
