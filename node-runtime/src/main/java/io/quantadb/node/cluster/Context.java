package io.quantadb.node.cluster;

import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import org.jspecify.annotations.Nullable;

/** What all parts of one core know and where they put their actions. Owned by the core's thread. */
final class Context {
    static final long MILLIS = 1_000_000L;

    final PeerId self;
    final ProtocolRules rules;

    /** The newest {@link ClusterVersion} that this node's release reads. */
    final int reads;

    long now;
    long wallMillis;
    ClusterState state = ClusterState.EMPTY;
    long appliedIndex;

    boolean leader;
    boolean ownTermApplied;
    boolean byTransfer;
    long term;

    @Nullable
    NodeId leaderId;

    /** Since when no leader is known; 0 while one is. */
    long leaderlessSince;

    long leaderLeaseUntil;
    SortedSet<PeerId> voters = Collections.emptySortedSet();
    SortedSet<PeerId> learners = Collections.emptySortedSet();

    /** Durable: the generation of this node's data, and the epoch below which it never relays again. */
    long generation;

    long promise;

    /** Changes that were proposed and are not in the state yet. */
    final ChangeTurns changes = new ChangeTurns(this);

    private final Map<NodeId, Long> heard = new HashMap<>();
    private final long startedAt;
    private long lastEventAt;
    private List<Action> out = new ArrayList<>();
    private final Deque<CoordMessage> toSelf = new ArrayDeque<>();

    Context(PeerId self, ProtocolRules rules, long generation, long promise, long nowNanos) {
        this(self, rules, ClusterVersion.NEWEST, generation, promise, nowNanos);
    }

    Context(PeerId self, ProtocolRules rules, int reads, long generation, long promise, long nowNanos) {
        this.self = self;
        this.rules = rules;
        this.reads = reads;
        this.generation = generation;
        this.promise = promise;
        this.now = nowNanos;
        this.startedAt = nowNanos;
        this.lastEventAt = nowNanos;
    }

    /** Time in which this node did not run counts against nobody. */
    void advance(long nowNanos) {
        now = Math.max(now, nowNanos);
        long gap = now - lastEventAt;
        lastEventAt = now;
        if (gap > 100 * MILLIS) {
            heard.replaceAll((node, at) -> at + gap);
        }
    }

    void add(Action action) {
        if (action instanceof Action.Propose(Command command)) {
            changes.onProposed(command);
        }
        out.add(action);
    }

    void tell(String story, String what) {
        out.add(new Action.Tell(story, what, new MemberRef(self.node(), generation)));
    }

    /** A message to this node itself is handled before the core returns. */
    void send(NodeId to, CoordMessage message) {
        if (to.equals(self.node())) {
            toSelf.add(message);
        } else {
            out.add(new Action.Send(to, message));
        }
    }

    @Nullable
    CoordMessage nextToSelf() {
        return toSelf.poll();
    }

    List<Action> drain() {
        List<Action> done = out;
        out = new ArrayList<>();
        return List.copyOf(done);
    }

    void heard(NodeId node) {
        heard.put(node, now);
    }

    boolean everHeard(NodeId node) {
        return heard.containsKey(node);
    }

    /** How long that node has been silent; since this core began when it was never heard. */
    long silenceNanos(NodeId node) {
        return node.equals(self.node()) ? 0 : now - heard.getOrDefault(node, startedAt);
    }

    long uptimeNanos() {
        return now - startedAt;
    }

    @Nullable
    Member me() {
        return state.member(self);
    }

    void leader(@Nullable NodeId known) {
        leaderId = known;
        leaderlessSince = known != null ? 0 : leaderlessSince == 0 ? Math.max(1, now) : leaderlessSince;
    }

    boolean fenced() {
        Member m = me();
        return m != null && m.fence().fenced();
    }

    boolean leads() {
        return leader && ownTermApplied && state.bootstrapped();
    }

    boolean primaryIsMe() {
        return me() != null && self.node().equals(state.primary()) && generation == state.primaryGeneration();
    }

    MemberRef ref() {
        return new MemberRef(self.node(), generation);
    }

    /** A wait for answers that lasts longer while the cluster's links or nodes are slow, as the election timeout does. */
    long stretched(long nanos) {
        Settings s = state.settings();
        return nanos * s.electionTimeoutMinMillis() / s.tuning().electionBaseMinMillis();
    }

    long millis(int millis) {
        return millis * MILLIS;
    }
}
