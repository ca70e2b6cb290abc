package io.quantadb.node.raft.sim;

import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import io.quantadb.node.raft.Membership;
import io.quantadb.node.raft.MembershipChange;
import io.quantadb.node.raft.RaftConfig;
import io.quantadb.node.raft.RaftRestored;
import io.quantadb.node.raft.RaftRules;
import io.quantadb.node.raft.Role;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.random.RandomGenerator;

/** Does things to the cluster while it works (safety), then lets it be and wants it to work again (liveness). */
final class SimRun {
    private static final long MS = 1_000_000;

    final SimWorld world;
    private final RandomGenerator random;
    private final long chaosMs;
    private long proposals;

    SimRun(long seed, RaftRules rules, long chaosMs) {
        this(seed, rules, chaosMs, SimProfile::draw);
    }

    SimRun(long seed, RaftRules rules, long chaosMs, Function<RandomGenerator, SimProfile> draw) {
        this(seed, rules, chaosMs, draw, (_, config) -> config);
    }

    SimRun(
            long seed,
            RaftRules rules,
            long chaosMs,
            Function<RandomGenerator, SimProfile> draw,
            BiFunction<NodeId, RaftConfig, RaftConfig> timers) {
        this.world = new SimWorld(seed, rules, draw, timers);
        this.random = world.random;
        this.chaosMs = chaosMs;
    }

    /** Short timers that change while the nodes run, and leaders that rarely last. */
    static SimRun retiming(long seed, RaftRules rules, SimRetimes retimes, long chaosMs) {
        SimRun run = new SimRun(seed, rules, chaosMs, SimProfile::hurried);
        run.world.retimes = retimes;
        return run;
    }

    SimRun run() {
        chaos();
        calm();
        return this;
    }

    /** Only the part in which things go wrong. */
    SimRun chaos() {
        world.after(0, this::nextProposal);
        world.after(0, this::nextFault);
        world.after(0, this::operate);
        if (world.retimes.everyMs() > 0) {
            world.after(0, this::nextRetime);
        }
        world.invariants.whenLeader = this::elected;
        world.runUntil(chaosMs * MS);
        world.invariants.logMatching();
        return this;
    }

    private void calm() {
        world.calm = true;
        world.heal();
        for (SimNode n : world.nodes) {
            n.pausedUntil = Math.min(n.pausedUntil, world.now);
            if (!n.up) {
                n.start();
            }
        }
        long before = world.invariants.highestCommitted();
        for (int i = 0; i < 300; i++) {
            world.runUntil(world.now + 100 * MS);
            if (world.invariants.highestCommitted() > before + 2 && converged()) {
                world.invariants.logMatching();
                return;
            }
        }
        StringBuilder state = new StringBuilder();
        world.nodes.forEach(n -> state.append("\n%s %s term=%d commit=%d last=%d applied=%d disowned=%s members=%s"
                .formatted(
                        n.self,
                        n.core.role(),
                        n.core.term(),
                        n.core.commitIndex(),
                        n.core.lastIndex(),
                        n.applied,
                        n.core.disowned(),
                        n.core.membership())));
        throw new AssertionError("liveness: not working 30 s after the faults stopped" + state);
    }

    private boolean converged() {
        SimNode leader = world.leader();
        return leader != null
                && leader.core.ownTermCommitted()
                && world.nodes.stream()
                        .filter(n -> world.invariants.membership.contains(n.self))
                        .allMatch(n -> n.applied >= leader.applied - 5);
    }

    private void nextProposal() {
        for (SimNode n : world.nodes) {
            if (n.up && world.now >= n.pausedUntil && random.nextInt(3) == 0) {
                byte[] command = ByteBuffer.allocate(8 + random.nextInt(40))
                        .putLong(++proposals)
                        .array();
                n.core.propose(command, n.local());
                n.core.readIndex(proposals, n.local());
                n.pump();
            }
        }
        world.after((5 + random.nextLong(60)) * MS, this::nextProposal);
    }

    private void nextRetime() {
        if (world.calm) {
            return;
        }
        int[] factors = {1, 2, 4, 8};
        RaftConfig next = SimRetimes.times(world.profile.config(), factors[random.nextInt(factors.length)]);
        for (SimNode n : world.nodes) {
            boolean late = random.nextInt(3) == 0;
            world.after((late ? random.nextLong(world.retimes.lateMs()) : 0) * MS, () -> {
                if (n.up && world.now >= n.pausedUntil) {
                    n.retime(next);
                }
            });
        }
        world.after(random.nextLong(2L * world.retimes.everyMs()) * MS, this::nextRetime);
    }

    // ---- what an operator does: replaces dead incarnations, and changes the membership for the sake of it

    private void operate() {
        for (SimNode n : world.nodes) {
            operate(n);
        }
        renewRemoved();
        world.after((5 + random.nextLong(100)) * MS, this::operate);
    }

    /** Every node that believes to lead is asked, the ones that were replaced without knowing it too. */
    private void operate(SimNode leader) {
        if (!leader.up || leader.core.role() != Role.LEADER || world.now < leader.pausedUntil) {
            return;
        }
        MembershipChange change = repair(leader.core.membership());
        boolean forItsOwnSake = !world.calm && random.nextInt(10) < world.profile.membership();
        if (change == null && forItsOwnSake) {
            change = anyChange(leader.core.membership());
        }
        if (change != null) {
            leader.core.changeMembership(change, leader.local());
            leader.pump();
        }
    }

    private MembershipChange repair(Membership m) {
        for (PeerId p : m.all()) {
            if (!world.node(p.node()).self.equals(p) && !(m.voters().size() == 1 && m.isVoter(p))) {
                return new MembershipChange.Remove(p);
            }
        }
        return null;
    }

    private MembershipChange anyChange(Membership m) {
        SimNode n = world.nodes.get(random.nextInt(world.nodes.size()));
        if (m.isVoter(n.self)) {
            if (m.voters().size() == 1) {
                return null;
            }
            return random.nextInt(3) == 0
                    ? new MembershipChange.DemoteToLearner(n.self)
                    : new MembershipChange.Remove(n.self);
        }
        if (m.contains(n.self)) {
            return new MembershipChange.PromoteToVoter(n.self);
        }
        boolean fresh = n.core == null || n.core.membership().all().isEmpty() || m.contains(n.self);
        return fresh && m.memberOf(n.self.node()) == null ? new MembershipChange.AddLearner(n.self) : null;
    }

    /** Whoever is out for good empties its disk and comes back as a new incarnation. */
    private void renewRemoved() {
        SimNode leader = world.leader();
        if (leader == null || !leader.core.ownTermCommitted()) {
            return;
        }
        for (SimNode n : world.nodes) {
            boolean wasIn = n.core != null && n.core.membership().contains(n.self);
            boolean out = !world.invariants.membership.contains(n.self)
                    && !leader.core.membership().contains(n.self)
                    && leader.applied >= world.invariants.highestCommitted();
            if (n != leader && wasIn && out && random.nextInt(16) == 0) {
                wipe(n);
            }
        }
    }

    private void wipe(SimNode n) {
        if (n.up) {
            n.crash();
        }
        n.self = world.newPeer(n.self.node());
        n.disk = new SimDisk(RaftRestored.EMPTY);
        world.trace("emptied, now " + n.self);
        n.start();
    }

    // ---- faults

    private void nextFault() {
        if (world.calm) {
            return;
        }
        SimProfile p = world.profile;
        int[] weights = {p.crash(), p.leaderCrash(), p.pause(), p.partition(), p.oneWay(), p.transfer(), p.wipe(), 1};
        int total = 0;
        for (int w : weights) {
            total += w;
        }
        int drawn = random.nextInt(total);
        int kind = 0;
        while (drawn >= weights[kind]) {
            drawn -= weights[kind++];
        }
        SimNode any = world.nodes.get(random.nextInt(world.nodes.size()));
        SimNode leader = world.leader();
        switch (kind) {
            case 0 -> world.crash(any);
            case 1 -> {
                if (leader != null) {
                    world.crash(leader);
                }
            }
            case 2 -> pause(random.nextBoolean() && leader != null ? leader : any);
            case 3 -> split();
            case 4 -> world.cut(any, world.nodes.get(random.nextInt(world.nodes.size())), outage());
            case 5 -> transfer(leader);
            case 6 -> maybeEmpty(any);
            default -> heal();
        }
        world.after(random.nextLong(2L * p.faultEveryMs()) * MS, this::nextFault);
    }

    /** The first moments of a leader are when it has told only some of the others. */
    private void elected(SimNode leader) {
        if (world.calm) {
            return;
        }
        boolean dethroned = random.nextDouble() < world.profile.dethrone();
        if (dethroned && world.profile.apart()) {
            setApart(leader);
        } else if (dethroned) {
            long delay = random.nextBoolean() ? 0 : random.nextLong(20 * MS);
            boolean crash = random.nextInt(4) == 0;
            world.after(delay, () -> {
                if (crash) {
                    world.crash(leader);
                } else {
                    isolate(leader);
                }
            });
        }
        world.after(0, () -> operate(leader));
    }

    private void isolate(SimNode n) {
        world.trace("isolate " + n.self);
        long until = outage();
        for (SimNode other : world.nodes) {
            if (random.nextInt(3) > 0) {
                world.cut(n, other, until);
                world.cut(other, n, until);
            }
        }
    }

    /** Alone, or one of a pair, before anybody has heard of its leadership; the others can talk again. */
    private void setApart(SimNode leader) {
        world.trace("set apart " + leader.self);
        world.heal();
        long until = world.now + world.profile.outageMs() * MS;
        SimNode partner = world.nodes.get(random.nextInt(world.nodes.size()));
        boolean alone = random.nextBoolean();
        for (SimNode a : world.nodes) {
            for (SimNode b : world.nodes) {
                boolean here = a == leader || (!alone && a == partner);
                boolean there = b == leader || (!alone && b == partner);
                if (here != there) {
                    world.cut(a, b, until);
                }
            }
        }
    }

    private long outage() {
        return world.now + random.nextLong(world.profile.outageMs()) * MS;
    }

    private void pause(SimNode n) {
        n.pausedUntil = Math.max(n.pausedUntil, world.now + random.nextLong(world.profile.outageMs()) * MS);
        world.trace("pause " + n.self);
    }

    private void split() {
        world.trace("split");
        long until = outage();
        boolean bothWays = random.nextInt(3) > 0;
        boolean links = random.nextInt(3) == 0;
        List<SimNode> left = new ArrayList<>(world.nodes);
        left.removeIf(n -> random.nextBoolean());
        for (SimNode a : world.nodes) {
            for (SimNode b : world.nodes) {
                // Two sides, or some links here and there.
                boolean apart = links ? random.nextInt(3) == 0 : left.contains(a) && !left.contains(b);
                if (a != b && apart) {
                    world.cut(a, b, until);
                    if (bothWays) {
                        world.cut(b, a, until);
                    }
                }
            }
        }
    }

    private void heal() {
        world.trace("heal");
        world.heal();
    }

    private void transfer(SimNode leader) {
        if (leader == null || world.now < leader.pausedUntil) {
            return;
        }
        List<PeerId> voters = List.copyOf(leader.core.membership().voters());
        leader.core.transfer(voters.get(random.nextInt(voters.size())), leader.local());
        leader.pump();
    }

    /** A disk is lost, as long as the rest can go on without it. */
    private void maybeEmpty(SimNode n) {
        SimNode leader = world.leader();
        if (leader == null || !leader.core.ownTermCommitted()) {
            return;
        }
        Membership m = world.invariants.membership;
        boolean settled = m.equals(leader.core.membership());
        long dead = m.voters().stream()
                .filter(v -> !world.node(v.node()).self.equals(v))
                .count();
        if (settled && m.isVoter(n.self) && (dead + 1) * 2 < m.voters().size()) {
            wipe(n);
        }
    }
}
