package io.quantadb.node.sim;

import io.quantadb.node.cluster.AdminRequest;
import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.ClusterVersion;
import io.quantadb.node.cluster.Command;
import io.quantadb.node.cluster.Event;
import io.quantadb.node.cluster.Member;
import io.quantadb.node.cluster.MemberKind;
import io.quantadb.node.cluster.MemberState;
import io.quantadb.node.cluster.ProtocolRules;
import io.quantadb.node.cluster.Settings;
import io.quantadb.node.cluster.Timers;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import io.quantadb.node.sim.invariants.ServesAgain;
import java.util.ArrayList;
import java.util.List;

/** One seed: a cluster forms, faults strike while clients write and read, then all faults end and it must serve again. */
final class SimRun {
    private static final long MS = SimWorld.MS;
    final SimWorld world;
    final List<SimNode> nodes = new ArrayList<>();
    private final Mix mix;
    private boolean faulty;
    final SimMoves moves;
    final SimFences fences;
    private final SimReleases releases = new SimReleases(this);
    private final SimWeather weather;
    private final SimForce force;
    private final SimLosses losses;
    private final ServesAgain servesAgain = new ServesAgain();

    /** What sort of trouble there is most of. */
    private enum Mix {
        ORDINARY,
        STORM,
        RESTLESS,
        LAGGING,
        STALLING,
        MOVING,
        RETIMING,
        OPERATED,
        TENDED,
        CASCADING,
        UPGRADING,
        LOOSE,
        FORCED,
        REGIONAL,
        FLAPPING
    }

    private SimRun(long seed, ProtocolRules rules, SimBugs bugs, Mix mix, int voters, int witnesses, int replicas) {
        world = new SimWorld(seed, rules, bugs);
        this.mix = mix;
        moves = new SimMoves(world, nodes);
        fences = new SimFences(world, nodes);
        weather = new SimWeather(world, nodes);
        force = new SimForce(world, nodes);
        losses = new SimLosses(this);
        world.whenCloning = this::cloning;
        for (int i = 0; i < voters + witnesses + replicas; i++) {
            MemberKind kind = i < voters
                    ? MemberKind.DATA
                    : i < voters + witnesses ? MemberKind.WITNESS : MemberKind.READ_REPLICA;
            SimNode n = new SimNode(world, new NodeId("n" + (i + 1)), kind);
            nodes.add(n);
            world.nodes.put(n.id, n);
        }
    }

    /** Sizes by seed: mostly three data nodes, sometimes more, sometimes with a witness or read replicas. */
    static SimRun of(long seed, ProtocolRules rules, SimBugs bugs) {
        int[][] shapes = {{3, 0, 0}, {3, 0, 0}, {5, 0, 0}, {2, 1, 0}, {3, 0, 1}, {4, 1, 2}, {3, 0, 0}, {7, 0, 4}};
        int[] shape = shapes[(int) Math.floorMod(seed, (long) shapes.length)];
        return new SimRun(seed, rules, bugs, Mix.ORDINARY, shape[0], shape[1], shape[2]);
    }

    /** Five data nodes whose standbys lose their server or their stream all the time, among few faults of other kinds. */
    static SimRun storm(long seed, ProtocolRules rules, SimBugs bugs) {
        return new SimRun(seed, rules, bugs, Mix.STORM, 5, 0, 0);
    }

    /**
     * Three or five data nodes whose operator keeps changing the mode, whose standbys, disks and permits are slow in
     * spells, and whose data becomes unreadable: rules change all the time, and members lag behind while they do.
     */
    static SimRun restless(long seed, ProtocolRules rules, SimBugs bugs) {
        return new SimRun(seed, rules, bugs, Mix.RESTLESS, seed % 2 == 0 ? 3 : 5, 0, 0);
    }

    /**
     * Three data nodes. WAL comes to one or another some seconds late, standbys lose their data meanwhile, and they or
     * what they clone from are lost again before they are whole: few hold what was acknowledged last.
     */
    static SimRun lagging(long seed, ProtocolRules rules, SimBugs bugs) {
        return new SimRun(seed, rules, bugs, Mix.LAGGING, 3, 0, 0);
    }

    /**
     * Five data nodes whose standbys come and go and get WAL late, whose operator keeps changing the mode and what
     * happens when too few are usable, and whose Raft disks stall while heartbeats go on: the rule has to follow all
     * the time, and much is decided before what was decided earlier is committed.
     */
    static SimRun stalling(long seed, ProtocolRules rules, SimBugs bugs) {
        return new SimRun(seed, rules, bugs, Mix.STALLING, 5, 0, 0);
    }

    /** Clusters of several shapes whose primary is asked to move all the time, and is struck while it does. */
    static SimRun moving(long seed, ProtocolRules rules, SimBugs bugs) {
        int[][] shapes = {{3, 0, 0}, {3, 0, 0}, {5, 0, 0}, {2, 1, 0}, {4, 1, 0}};
        int[] shape = shapes[(int) Math.floorMod(seed, (long) shapes.length)];
        return new SimRun(seed, rules, bugs, Mix.MOVING, shape[0], shape[1], shape[2]);
    }

    /** Three or five data nodes whose election timeout and lease change all the time, while the primary moves and dies. */
    static SimRun retiming(long seed, ProtocolRules rules, SimBugs bugs) {
        return new SimRun(seed, rules, bugs, Mix.RETIMING, seed % 2 == 0 ? 3 : 5, 0, 0);
    }

    /**
     * Clusters of several shapes that several operators want different things of, all the time and often at once: members
     * copied anew and removed, the mode, maintenance and the primary changed, disks replaced meanwhile.
     */
    static SimRun operated(long seed, ProtocolRules rules, SimBugs bugs) {
        int[][] shapes = {{3, 0, 0}, {4, 0, 0}, {3, 1, 0}, {5, 0, 0}, {2, 1, 0}};
        int[] shape = shapes[(int) Math.floorMod(seed, (long) shapes.length)];
        return new SimRun(seed, rules, bugs, Mix.OPERATED, shape[0], shape[1], shape[2]);
    }

    /** Clusters of several shapes whose operator fences nodes and has servers restarted all the time. */
    static SimRun tended(long seed, ProtocolRules rules, SimBugs bugs) {
        int[][] shapes = {{3, 0, 0}, {3, 0, 0}, {5, 0, 0}, {2, 1, 0}, {3, 0, 1}};
        int[] shape = shapes[(int) Math.floorMod(seed, (long) shapes.length)];
        return new SimRun(seed, rules, bugs, Mix.TENDED, shape[0], shape[1], shape[2]);
    }

    /** Clusters with read replicas whose operator keeps changing from whom they stream. */
    static SimRun cascading(long seed, ProtocolRules rules, SimBugs bugs) {
        int[][] shapes = {{3, 0, 1}, {3, 0, 2}, {5, 0, 1}, {2, 1, 2}};
        int[] shape = shapes[(int) Math.floorMod(seed, (long) shapes.length)];
        return new SimRun(seed, rules, bugs, Mix.CASCADING, shape[0], shape[1], shape[2]);
    }

    /** Clusters of several shapes whose nodes come back with a later release now and then, each when it will. */
    static SimRun upgrading(long seed, ProtocolRules rules, SimBugs bugs) {
        int[][] shapes = {{3, 0, 0}, {3, 0, 1}, {5, 0, 0}, {2, 1, 0}};
        int[] shape = shapes[(int) Math.floorMod(seed, (long) shapes.length)];
        return new SimRun(seed, rules, bugs, Mix.UPGRADING, shape[0], shape[1], shape[2]);
    }

    /**
     * Clusters whose mode changes all the time, {@code async} among others, whose standbys get WAL late, and whose primary's
     * disk is lost while nobody else acknowledges; an operator forces a failover where none happens by itself.
     */
    static SimRun loose(long seed, ProtocolRules rules, SimBugs bugs) {
        int[][] shapes = {{3, 0, 0}, {5, 0, 0}, {4, 1, 0}, {3, 0, 0}};
        int[] shape = shapes[(int) Math.floorMod(seed, (long) shapes.length)];
        return new SimRun(seed, rules, bugs, Mix.LOOSE, shape[0], shape[1], shape[2]);
    }

    /** Clusters that lose more than their rule bears, which shrinks meanwhile, and an operator who forces a failover then. */
    static SimRun forced(long seed, ProtocolRules rules, SimBugs bugs) {
        int[][] shapes = {{3, 0, 0}, {3, 2, 0}, {2, 1, 0}, {5, 0, 0}};
        int[] shape = shapes[(int) Math.floorMod(seed, (long) shapes.length)];
        return new SimRun(seed, rules, bugs, Mix.FORCED, shape[0], shape[1], shape[2]);
    }

    /** Clusters in two regions whose failovers are to stay in the one where the primary is. */
    static SimRun regional(long seed, ProtocolRules rules, SimBugs bugs) {
        int[][] shapes = {{3, 0, 0}, {4, 0, 0}, {5, 0, 0}};
        int[] shape = shapes[(int) Math.floorMod(seed, (long) shapes.length)];
        SimRun run = new SimRun(seed, rules, bugs, Mix.REGIONAL, shape[0], shape[1], shape[2]);
        for (int i = 0; i < run.nodes.size(); i++) {
            run.nodes.get(i).zone = i % 3 == 2 ? "west/a" : "east/a";
        }
        return run;
    }

    /** Three or five data nodes of which whichever is primary finds its disk bad now and then, for a while. */
    static SimRun flapping(long seed, ProtocolRules rules, SimBugs bugs) {
        return new SimRun(seed, rules, bugs, Mix.FLAPPING, seed % 2 == 0 ? 3 : 5, 0, 0);
    }

    void form() {
        SimNode first = nodes.getFirst();
        first.freshGroup();
        first.pg.initdb();
        first.facts.generation = 1;
        first.start();
        run(20);
        Command bootstrap = new Command.Bootstrap(
                "sim",
                42,
                1,
                new Member(
                        first.self, 1, MemberKind.DATA, MemberState.VOTER, SimNode.addresses(), first.zone, 100, false),
                1,
                Settings.DEFAULT);
        // Asked again until it is there, as the real node does: the first leader may need a moment.
        while (!world.oracle.committed.bootstrapped()) {
            first.propose(bootstrap);
            run(20);
        }
        for (SimNode n : nodes.subList(1, nodes.size())) {
            n.start();
            n.joinUntilMember();
        }
        awaitTrue("the cluster forms", 20_000, this::formed);
    }

    private boolean formed() {
        ClusterState s = world.oracle.committed;
        long data = nodes.stream().filter(n -> n.kind == MemberKind.DATA).count();
        long voters = s.members().values().stream()
                .filter(m -> m.state() == MemberState.VOTER)
                .count();
        long witnesses =
                nodes.stream().filter(n -> n.kind == MemberKind.WITNESS).count();
        boolean rule = s.rule().set().size() == data - 1
                && s.nextRule() == null
                && s.rule().k() == data / 2;
        return voters == data + witnesses && rule && serving() != null;
    }

    SimNode serving() {
        return nodes.stream().filter(n -> n.front.serving()).findFirst().orElse(null);
    }

    void run(long ms) {
        world.runUntil(world.now + ms * MS);
    }

    void awaitTrue(String what, long boundMs, java.util.function.BooleanSupplier condition) {
        long start = world.now;
        while (!condition.getAsBoolean()) {
            long waitedMs = (world.now - start) / MS;
            servesAgain.onWaited(what, waitedMs, boundMs, waitedMs > boundMs ? describe() : "");
            run(10);
        }
    }

    String describe() {
        StringBuilder b = new StringBuilder(world.oracle.committed.toString());
        for (SimNode n : nodes) {
            b.append("\n  ").append(n.self).append(n.up ? " up " : " down ");
            b.append(
                    n.raft == null
                            ? ""
                            : n.raft.role() + " term " + n.raft.term() + " commit " + n.raft.commitIndex() + " last "
                                    + n.raft.lastIndex() + (n.raft.disowned() ? " DISOWNED " : " "));
            b.append(n.core == null ? "" : n.core.status()).append(n.front);
        }
        return b.toString();
    }

    // ---- clients

    void clients() {
        for (SimNode n : nodes) {
            if (world.chance(0.8)) {
                n.front.write();
            }
            if (world.chance(0.2)) {
                n.front.read();
            }
            if (world.chance(0.005)) {
                n.front.cancelWait();
            }
        }
        world.afterMs(slowWorld() ? 15 : 3, slowWorld() ? 40 : 10, this::clients);
    }

    // ---- faults

    private void faults() {
        if (!faulty) {
            return;
        }
        SimNode n = nodes.get(world.random.nextInt(nodes.size()));
        if (mix == Mix.MOVING && world.chance(0.6)) {
            slowness(n);
            world.afterMs(100, 900, this::faults);
            return;
        }
        if (mix == Mix.OPERATED && world.chance(0.7)) {
            slowness(n);
            world.afterMs(100, 900, this::faults);
            return;
        }
        if (mix == Mix.LAGGING) {
            losses(n);
            world.afterMs(200, 1_500, this::faults);
            return;
        }
        if (mix == Mix.STALLING) {
            absences(n);
            world.afterMs(50, 600, this::faults);
            return;
        }
        if (mix == Mix.STORM && world.chance(0.97)) {
            if (n != primaryOr(n) && world.chance(0.5)) {
                n.killPostgres();
            } else {
                n.relay.redial();
            }
            world.afterMs(5, 40, this::faults);
            return;
        }
        if (mix == Mix.RESTLESS && world.chance(0.75)) {
            if (world.chance(0.15)) {
                spoil(n);
            } else {
                slowness(n);
            }
            world.afterMs(20, 250, this::faults);
            return;
        }
        if ((mix == Mix.LOOSE || mix == Mix.FORCED) && world.chance(0.75)) {
            unbearable(n);
            world.afterMs(50, 500, this::faults);
            return;
        }
        if (mix == Mix.FLAPPING && world.chance(0.85)) {
            flap(primaryOr(n));
            world.afterMs(50, 700, this::faults);
            return;
        }
        if (mix == Mix.UPGRADING && world.chance(0.8)) {
            releases.upgradeOrReplace(n, whole());
            world.afterMs(100, 500, this::faults);
            return;
        }
        ordinary(n);
        world.afterMs(60, 700, this::faults);
    }

    private void ordinary(SimNode n) {
        switch (world.random.nextInt(15)) {
            case 0, 1 -> crash(n);
            case 2 -> crash(primaryOr(n));
            case 3 -> n.killPostgres();
            case 4 -> primaryOr(n).killPostgres();
            case 5 -> n.pause(world.between(50, 1500));
            case 6 -> primaryOr(n).pause(world.between(50, 1500));
            case 7 -> weather.isolate(n, world.chance(0.4));
            case 8 -> weather.isolate(primaryOr(n), world.chance(0.4));
            case 9 -> weather.split();
            case 10 -> weather.begin();
            case 11 -> slowness(n);
            case 12 -> spoil(n);
            case 13 -> remove(n);
            default -> rare(n);
        }
    }

    private void unbearable(SimNode n) {
        switch (world.random.nextInt(6)) {
            case 0, 1 -> losses.lag();
            case 2 -> losses.stayAway(n);
            case 3 -> losses.loseThePrimary();
            case 4 -> weather.isolate(primaryOr(n), false);
            default -> {
                if (mix == Mix.FORCED) {
                    losses.loseMany();
                } else {
                    crash(primaryOr(n));
                }
            }
        }
    }

    /** Its disk leaves flushes unanswered, and answers again some time later; now and then it is not spoken to meanwhile. */
    private void flap(SimNode n) {
        if (n.running()) {
            if (world.chance(0.4)) {
                nodes.stream().filter(o -> o != n).forEach(o -> world.network.cut(o.id, n.id));
                world.afterMs(50, 400, world.network::heal);
            }
            n.event(new Event.DiskHealth("its disk stalls"));
            n.later(100, 3_000, () -> n.event(new Event.DiskHealth("")));
        }
    }

    private boolean slowWorld() {
        return mix == Mix.LAGGING || mix == Mix.STALLING;
    }

    private void losses(SimNode n) {
        if (world.chance(0.1)) {
            ordinary(n);
        } else if (world.chance(0.1)) {
            crash(primaryOr(n));
        } else if (world.chance(0.2)) {
            spoil(n);
        } else if (mayLose(n)) {
            n.loseData();
            world.afterMs(30, 300, () -> restart(n));
        }
    }

    private void absences(SimNode n) {
        if (world.chance(0.1)) {
            ordinary(n);
        } else if (n != primaryOr(n)) {
            switch (world.random.nextInt(3)) {
                case 0 -> crash(n);
                case 1 -> n.killPostgres();
                default -> n.relay.redial();
            }
        } else if (world.chance(0.2)) {
            crash(n);
        }
    }

    /** Lines to members and the disks under Raft are slow for so long that much happens meanwhile. */
    private void slowSpells() {
        if (!faulty) {
            return;
        }
        if (mix == Mix.STALLING && world.chance(0.5)) {
            int upTo = 100 + world.random.nextInt(1_400);
            double forMs = 300 + world.random.nextInt(2_000);
            nodes.forEach(m -> m.slow.begin(SimSlowness.Part.RAFT_DISK, upTo, forMs));
        } else {
            nodes.stream()
                    .filter(m -> world.chance(0.4))
                    .forEach(m -> m.slow.begin(
                            SimSlowness.Part.WAL_ARRIVAL,
                            500 + world.random.nextInt(5_000),
                            500 + world.random.nextInt(4_000)));
        }
        world.afterMs(100, 1_500, this::slowSpells);
    }

    SimNode primaryOr(SimNode n) {
        NodeId p = world.oracle.committed.primary();
        return p == null ? n : world.nodes.get(p);
    }

    private void crash(SimNode n) {
        if (n.up) {
            n.crash();
            boolean staysAway = slowWorld() && world.chance(0.5);
            world.afterMs(30, staysAway ? 5_000 : 1_500, () -> restart(n));
        }
    }

    void restart(SimNode n) {
        if (!n.up) {
            n.start();
            n.joinUntilMember();
        }
    }

    /** Something about this node, or about all disks, is slow for a while. */
    private void slowness(SimNode n) {
        double forMs = 100 + world.random.nextInt(1_500);
        switch (world.random.nextInt(5)) {
            case 0, 1 -> n.slow.begin(SimSlowness.Part.WAL_FLUSH, 20 + world.random.nextInt(600), forMs);
            case 2 -> primaryOr(n).slow.begin(SimSlowness.Part.PERMIT, 20 + world.random.nextInt(400), forMs);
            case 3 -> n.slow.begin(SimSlowness.Part.RAFT_DISK, 10 + world.random.nextInt(150), forMs);
            default -> {
                int upTo = 10 + world.random.nextInt(250);
                nodes.forEach(m -> m.slow.begin(SimSlowness.Part.RAFT_DISK, upTo, forMs));
            }
        }
    }

    /** The member has to throw its data away though it may be the only one that acknowledged the last of it. */
    private void spoil(SimNode n) {
        if (!mayLose(n) || n.kind == MemberKind.WITNESS || n == primaryOr(n)) {
            return;
        }
        if (mix == Mix.RESTLESS && world.chance(0.5)) {
            // Nobody else acknowledges before it, nor until long after it has found out.
            SimNode primary = primaryOr(n);
            nodes.stream().filter(o -> o != n && o != primary).forEach(o -> {
                world.network.cut(o.id, primary.id);
                world.network.cut(primary.id, o.id);
            });
            world.trace("all but %s are cut off from the primary".formatted(n.id));
            world.afterMs(2_000, 4_000, world.network::heal);
        }
        world.afterMs(20, 200, () -> {
            if (mayLose(n)) {
                n.spoil();
                world.afterMs(30, 300, () -> restart(n));
            }
        });
    }

    /** Where others lag or are away, it is enough that they still have what they had. */
    private boolean mayLose(SimNode n) {
        ClusterState s = world.oracle.committed;
        return slowWorld()
                ? s.released()
                        && serving() != null
                        && !n.id.equals(s.primary())
                        && nodes.stream().allMatch(m -> !m.pg.spoiled && holdsWhatItShould(m))
                : whole();
    }

    /** What was there is gone and what is to come is not yet: the moment to lose the node, or what it clones from. */
    private void cloning(SimNode n) {
        boolean asked = mix == Mix.LAGGING
                && world.oracle.committed.rule().set().stream()
                        .anyMatch(ref -> ref.node().equals(n.id));
        if (faulty && (mix == Mix.RESTLESS || asked) && world.chance(0.5)) {
            world.afterMs(5, 120, () -> crash(n));
            if (world.chance(0.5)) {
                world.afterMs(5, 400, () -> crash(primaryOr(n)));
            }
        }
    }

    // ---- the operator

    /** The last word is the default. */
    private void operate() {
        Settings s = world.oracle.committed.settings();
        Settings.Mode mode = faulty && world.chance(0.5) ? Settings.Mode.ALL : Settings.Mode.QUORUM;
        Settings.Policy policy = Settings.Policy.BLOCK;
        int shrinkAfter = s.shrinkAfterMillis();
        if (mix == Mix.STALLING && faulty && world.chance(0.7)) {
            policy = Settings.Policy.SHRINK;
            shrinkAfter = world.random.nextInt(500);
        }
        if (faulty && (mix == Mix.LOOSE || mix == Mix.FORCED)) {
            mode = mix == Mix.LOOSE && world.chance(0.6) ? Settings.Mode.ASYNC : mode;
            policy = world.chance(0.5) ? Settings.Policy.SHRINK : policy;
            shrinkAfter = world.random.nextInt(500);
        }
        if (s.mode() != mode || s.policy() != policy) {
            ask(new AdminRequest.ChangeMode(mode, policy, shrinkAfter));
        }
        if (!faulty && s.pausedUntilMillis() != 0) {
            ask(new AdminRequest.Pause(0));
        }
        if (faulty && world.chance(0.1)) {
            boolean ends = world.chance(0.2);
            ask(new AdminRequest.Pause(ends ? 0 : world.wallMillis() + world.random.nextInt(8_000)));
        }
        // One that is copied anew may be the only one that has anything left where more is lost than the rule bears.
        boolean losing = mix == Mix.LOOSE || mix == Mix.FORCED;
        if (faulty && !losing && world.chance(0.1)) {
            SimNode n = nodes.get(world.random.nextInt(nodes.size()));
            ask(new AdminRequest.Resync(n.id, world.chance(0.5)));
        }
        boolean often = mix == Mix.RESTLESS || mix == Mix.LOOSE || mix == Mix.FORCED;
        world.afterMs(50, often ? 900 : 3_000, this::operate);
    }

    /** Longer and shorter, whoever leads; at the end what the cluster was formed with. */
    private void retime() {
        Settings s = world.oracle.committed.settings();
        int times = faulty ? 1 + world.random.nextInt(5) : 1;
        Timers next = s.tuning().timers(s.heartbeatMillis(), times * s.tuning().electionBaseMinMillis());
        if (!next.equals(s.timers())) {
            nodes.stream().filter(n -> n.running()).forEach(n -> n.propose(new Command.Retime(next)));
        }
        if (faulty || !next.equals(s.timers())) {
            world.afterMs(100, 1_500, this::retime);
        }
    }

    /** Several at once who do not know of each other, and a disk that fails when it is needed most. */
    private void operateTogether() {
        if (!faulty) {
            return;
        }
        int requests = 1 + world.random.nextInt(3);
        for (int i = 0; i < requests; i++) {
            SimNode n = nodes.get(world.random.nextInt(nodes.size()));
            switch (world.random.nextInt(6)) {
                case 0, 1, 2 -> ask(new AdminRequest.Resync(n.id, world.chance(0.2)));
                case 3 -> takeOut(n, false);
                case 4 -> {
                    Settings.Mode mode = world.chance(0.3) ? Settings.Mode.ALL : Settings.Mode.QUORUM;
                    ask(new AdminRequest.ChangeMode(mode, Settings.Policy.BLOCK, 1_000));
                }
                default -> ask(new AdminRequest.Pause(world.chance(0.5) ? 0 : world.wallMillis() + 500));
            }
        }
        SimNode victim = nodes.get(world.random.nextInt(nodes.size()));
        if (world.chance(0.3)) {
            world.afterMs(0, 60, () -> loseDisk(victim));
        }
        world.afterMs(50, 1_200, this::operateTogether);
    }

    /** Everybody has data still; that one of them is about to throw them away is what makes it a bad moment. */
    private void loseDisk(SimNode n) {
        ClusterState s = world.oracle.committed;
        boolean allHave = nodes.stream()
                .allMatch(m -> m.running()
                        && votes(s.member(m.self))
                        && (m.kind == MemberKind.WITNESS || (!m.pg.empty && !m.pg.spoiled && holdsWhatItShould(m))));
        if (faulty && n != primaryOr(n) && s.released() && serving() != null && allHave) {
            n.wipe();
            world.afterMs(100, 800, () -> restart(n));
        }
    }

    private static boolean votes(Member m) {
        return m != null && m.state() == MemberState.VOTER;
    }

    private void tune(AdminRequest.Tune wanted) {
        ask(wanted);
        awaitTrue(
                "the setting is committed",
                5_000,
                () -> wanted.on(world.oracle.committed.settings().tuning())
                        .equals(world.oracle.committed.settings().tuning()));
    }

    /** Every node is asked, since more than one may believe that it leads. */
    private void ask(AdminRequest request) {
        nodes.stream().filter(n -> n.up).forEach(n -> n.event(new Event.AdminAsked(0, request)));
    }

    /** Taken out while all goes well or ill, lives on as a stranger for a while, and comes back with another disk. */
    void remove(SimNode n) {
        if (whole() && n != primaryOr(n)) {
            takeOut(n, true);
        }
    }

    private void takeOut(SimNode n, boolean anyway) {
        ask(new AdminRequest.RemoveMember(n.id, anyway));
        PeerId was = n.self;
        long until = world.now + 10_000 * MS;
        world.afterMs(100, 400, () -> replace(n, was, until));
    }

    /** The removal may have been refused, and it may be committed late. */
    private void replace(SimNode n, PeerId was, long until) {
        Member m = world.oracle.committed.member(was);
        if (!n.self.equals(was) || (m != null && m.state() != MemberState.LEAVING && world.now >= until)) {
            return;
        }
        if (m != null) {
            world.afterMs(50, 100, () -> replace(n, was, until));
            return;
        }
        world.trace(was + " was removed");
        world.afterMs(0, 1_500, () -> {
            if (n.self.equals(was)) {
                n.wipe();
                world.afterMs(10, 300, () -> restart(n));
            }
        });
    }

    /** A lost disk only while the cluster is whole, since losing more than the rule allows loses data by design. */
    private void rare(SimNode n) {
        if (whole() && world.chance(0.6)) {
            n.wipe();
            world.afterMs(100, 1500, () -> restart(n));
        } else if (world.chance(0.2)) {
            nodes.forEach(this::crash);
        }
    }

    boolean whole() {
        ClusterState s = world.oracle.committed;
        long data = nodes.stream().filter(n -> n.kind == MemberKind.DATA).count();
        boolean rule = s.rule().set().size() == data - 1 && s.nextRule() == null;
        // Whoever is on its way out, or is out and does not know, counts no more: one more disk could be a majority's.
        boolean stay = !fences.any()
                && nodes.stream()
                        .map(n -> s.member(n.self))
                        .allMatch(m -> m != null && m.state() != MemberState.LEAVING);
        return rule
                && stay
                && serving() != null
                && nodes.stream().allMatch(m -> m.running() && m.member() && !m.pg.spoiled && holdsWhatItShould(m));
    }

    /** A member of the rule may still be cloning: it counts for nothing then. */
    private boolean holdsWhatItShould(SimNode n) {
        return world.oracle.committed.rule().set().stream()
                .filter(ref -> ref.node().equals(n.id))
                .allMatch(ref -> !n.pg.empty && n.facts.generation == ref.generation());
    }

    // ---- the whole

    /** The safety phase alone. */
    SimRun chaos(long chaosMs) {
        form();
        clients();
        if (mix == Mix.REGIONAL) {
            tune(new AdminRequest.Tune(-1, -1, 0, -1));
        }
        if (mix == Mix.FLAPPING) {
            tune(new AdminRequest.Tune(-1, 500, -1, -1));
        }
        faulty = true;
        if (slowWorld()) {
            slowSpells();
            world.afterMs(200, 2_000, this::faults);
        } else {
            faults();
        }
        boolean changing = mix == Mix.RESTLESS || mix == Mix.STALLING || mix == Mix.LOOSE || mix == Mix.FORCED;
        if (changing || (mix != Mix.LAGGING && world.chance(0.3))) {
            operate();
        }
        if (mix == Mix.LOOSE || mix == Mix.FORCED) {
            force.begin();
        }
        if (mix == Mix.MOVING || mix == Mix.RETIMING) {
            moves.begin();
        }
        if (mix == Mix.RETIMING) {
            retime();
        }
        if (mix == Mix.OPERATED) {
            moves.begin();
            operate();
            operateTogether();
        }
        if (mix == Mix.TENDED) {
            fences.begin();
        }
        if (mix == Mix.CASCADING) {
            new SimUpstreams(world, nodes).begin();
        }
        run(chaosMs);
        faulty = false;
        moves.calm();
        fences.calm();
        force.calm();
        return this;
    }

    SimRun all(long chaosMs) {
        chaos(chaosMs);
        run(1_600);
        world.network.heal();
        world.network.loss = 0;
        world.network.duplicate = 0;
        nodes.forEach(n -> n.slow.end());
        nodes.forEach(this::restart);
        if (mix == Mix.UPGRADING) {
            releases.upgradeSome();
        }
        live();
        return this;
    }

    void live() {
        long before = world.oracle.acknowledged;
        awaitTrue("a client's write is acknowledged", 30_000, () -> world.oracle.acknowledged > before + 5);
        awaitTrue("every freeze ends and all members stand in the rule", 40_000, () -> formed() && converged());
        awaitTrue("every request for a switchover ends", SimMoves.END_MS, moves::allEnded);
        awaitTrue(
                "the cluster's version is what all releases read",
                10_000,
                () -> ClusterVersion.of(world.oracle.committed)
                        == nodes.stream().mapToInt(n -> n.release).min().orElseThrow());
    }

    private boolean converged() {
        SimNode p = serving();
        ClusterState s = world.oracle.committed;
        for (SimNode n : nodes) {
            if (p == null || n.facts.promise > s.epoch()) {
                return false;
            }
            if (n.kind != MemberKind.WITNESS) {
                int size = n.pg.wal.size();
                boolean prefix = size <= p.pg.wal.size()
                        && size > 0
                        && n.pg.wal.getLast().equals(p.pg.wal.get(size - 1));
                if (!prefix || p.pg.wal.size() - size > 50) {
                    return false;
                }
            }
        }
        return true;
    }
}
