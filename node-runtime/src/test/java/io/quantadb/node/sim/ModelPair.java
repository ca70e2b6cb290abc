package io.quantadb.node.sim;

import io.quantadb.node.cluster.Action;
import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.EpochHistory;
import io.quantadb.node.cluster.EpochRecord;
import io.quantadb.node.cluster.MemberKind;
import io.quantadb.node.cluster.Position;
import io.quantadb.node.cluster.ProtocolRules;
import io.quantadb.node.cluster.Rule;
import io.quantadb.node.cluster.ServerState;
import io.quantadb.node.cluster.VoicePermit;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.raft.RaftRestored;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The simulation's servers, relays and fronts as they are, without anybody who decides: both nodes are kept busy while a
 * step runs, so that their cores never see an event, and the voice says what the schedule says.
 */
final class ModelPair implements ServerPair {
    /** Longer than anything that the model lets a server, a flush or a stream take. */
    private static final long SETTLE_MS = 900;

    private static final long GENERATION = 1;

    private final SimWorld world;
    private final List<SimNode> nodes = new ArrayList<>();
    /** The record of each commit, and how long its WAL was with it. */
    private final Map<String, SimPostgres.Rec> records = new LinkedHashMap<>();

    private final Map<String, Integer> ends = new HashMap<>();
    private final Map<String, Fate> fates = new TreeMap<>();
    private final List<EpochRecord> history = new ArrayList<>();
    private Lsn said = Lsn.NONE;
    private final boolean[] follows = new boolean[2];
    private int primary;
    private long epoch = 1;
    private boolean cancelled;

    ModelPair(long seed) {
        world = new SimWorld(seed, new ProtocolRules(), new SimBugs() {
            @Override
            Lsn voice(VoicePermit permit, List<MemberStream> streams, Lsn ownFlush) {
                return Lsn.min(said, ownFlush);
            }
        });
        for (int i = 0; i < 2; i++) {
            SimNode node = new SimNode(world, new NodeId("n" + i), MemberKind.DATA);
            nodes.add(node);
            world.nodes.put(node.id, node);
        }
        nodes.get(0).fresh(RaftRestored.EMPTY);
        nodes.get(0).pg.initdb();
        nodes.get(1).pg.cloned(nodes.get(0).pg);
        nodes.forEach(SimNode::start);
        history.add(new EpochRecord(1, nodes.get(0).id, 1, 0, Lsn.NONE, Lsn.NONE, true));
        carryOut(new Step.StartPrimary(0));
        carryOut(new Step.StartStandby(1));
        carryOut(new Step.Follow(1));
    }

    @Override
    public void carryOut(Step step) {
        busy(() -> {
            perform(step);
            world.runUntil(world.now + SETTLE_MS * SimWorld.MS);
            settleFates();
        });
    }

    private void busy(Runnable what) {
        nodes.get(0).input(() -> nodes.get(1).input(what));
    }

    private void perform(Step step) {
        SimNode serving = nodes.get(primary);
        switch (step) {
            case Step.Commit(String label) -> commit(label);
            case Step.CommitUnwaited(String label) -> {
                commit(label);
                cancel(label);
            }
            case Step.CancelWait() -> cancel(newestWaiting());
            case Step.VoiceOpens() -> {
                said = Lsn.NONE;
                serving.relay.openVoice();
            }
            case Step.VoiceReports(String label) -> {
                said = SimPostgres.lsn(ends.get(label));
                serving.relay.speak();
            }
            case Step.VoiceCloses() -> serving.relay.closeVoice();
            case Step.Stop(int server, boolean immediate) -> {
                nodes.get(server).relay.closeVoice();
                nodes.get(server).pg.stop(immediate);
                ended(server);
            }
            case Step.Kill(int server) -> {
                nodes.get(server).pg.die();
                ended(server);
            }
            case Step.StartPrimary(int server) -> {
                nodes.get(server).pg.startPrimary();
                serve(server);
            }
            case Step.StartStandby(int server) -> nodes.get(server).pg.startStandby();
            case Step.Follow(int server) -> {
                follows[server] = true;
                SimNode follower = nodes.get(server);
                NodeId upstream = nodes.get(1 - server).id;
                follower.relay.follow(new Action.Follow(upstream, epoch, GENERATION, follower.pg.position()));
            }
            case Step.StopFollowing(int server) -> {
                follows[server] = false;
                nodes.get(server).relay.stopFollowing();
            }
            case Step.Promote(int server, int timeline) -> promote(server, timeline);
        }
    }

    private void commit(String label) {
        SimNode serving = nodes.get(primary);
        serving.front.write();
        ends.put(label, serving.pg.wal.size());
        records.put(label, serving.pg.wal.getLast());
        fates.put(label, Fate.WAITING);
    }

    private void cancel(String label) {
        nodes.get(primary).front.cancelWait();
        fates.put(label, Fate.UNREPLICATED);
        cancelled = true;
    }

    private String newestWaiting() {
        return fates.entrySet().stream()
                .filter(e -> e.getValue() == Fate.WAITING)
                .reduce((older, newer) -> newer)
                .orElseThrow()
                .getKey();
    }

    private void ended(int server) {
        if (server == primary) {
            fates.replaceAll((label, fate) -> fate == Fate.WAITING ? Fate.IN_DOUBT : fate);
            nodes.get(server).front.close();
            said = Lsn.NONE;
        }
    }

    private void promote(int server, int timeline) {
        SimPostgres pg = nodes.get(server).pg;
        follows[server] = false;
        nodes.get(server).relay.stopFollowing();
        epoch++;
        history.add(new EpochRecord(
                epoch, nodes.get(server).id, timeline, pg.position().timeline(), pg.end(), pg.end(), true));
        said = Lsn.NONE;
        pg.promote(timeline);
        serve(server);
    }

    /** What the shell does beside starting the server; the oracle takes the schedule's word that it may. */
    private void serve(int server) {
        primary = server;
        SimNode node = nodes.get(server);
        ClusterState e = ClusterState.EMPTY;
        world.oracle.committed = new ClusterState(
                e.clusterId(),
                e.systemIdentifier(),
                e.clusterVersion(),
                epoch,
                epoch,
                node.id,
                GENERATION,
                1,
                epoch,
                node.id,
                GENERATION,
                Rule.ALONE,
                null,
                history,
                1,
                e.members(),
                e.settings(),
                e.failovers());
        node.relay.serve(epoch);
        node.relay.setPermit(new VoicePermit(epoch, 1, new MemberRef(node.id, GENERATION), Rule.ALONE, null));
        node.front.open(epoch);
        node.front.lease(epoch, Long.MAX_VALUE);
    }

    /** A client hears of its commit when the voice has passed it. */
    private void settleFates() {
        Lsn voice = nodes.get(primary).relay.voice;
        fates.replaceAll((label, fate) ->
                fate == Fate.WAITING && voice.atLeast(SimPostgres.lsn(ends.get(label))) ? Fate.ACKNOWLEDGED : fate);
        long passed = fates.values().stream()
                .filter(fate -> fate == Fate.ACKNOWLEDGED)
                .count();
        // after a cancelled wait the model's front withholds answers that the server gave
        if (cancelled ? world.oracle.acknowledged > passed : world.oracle.acknowledged != passed) {
            throw new AssertionError(
                    "the front answered %d, the voice passed %s".formatted(world.oracle.acknowledged, fates));
        }
    }

    @Override
    public Seen seen() {
        List<View> views = new ArrayList<>();
        busy(() -> views.addAll(List.of(view(0), view(1))));
        return new Seen(fates, views);
    }

    private View view(int server) {
        SimPostgres pg = nodes.get(server).pg;
        SimPostgres other = nodes.get(1 - server).pg;
        if (!pg.running()) {
            return new View(Mode.DOWN, new TreeSet<>(), List.of(), false, other.ready && !onBranch(pg, other));
        }
        if (pg.state == ServerState.STANDBY) {
            boolean streams = follows[server] && other.ready && pg.wal.equals(other.wal);
            return new View(Mode.STANDBY, rows(pg, pg.wal.size()), List.of(), streams, false);
        }
        int shown = Math.max(pg.visible, SimPostgres.records(nodes.get(server).relay.voice));
        SortedSet<String> rows = rows(pg, shown);
        // the model shows a prefix: an older commit that waits goes with a younger one whose wait was cancelled
        rows.removeIf(label -> cancelled && fates.get(label) == Fate.WAITING);
        List<Integer> lineage =
                pg.wal.stream().map(SimPostgres.Rec::timeline).distinct().toList();
        return new View(Mode.PRIMARY, rows, lineage, false, false);
    }

    private boolean onBranch(SimPostgres pg, SimPostgres of) {
        Position end = pg.position();
        boolean told = EpochHistory.onBranch(history, of.timeline, end);
        int common = pg.wal.size();
        boolean holds = common <= of.wal.size() && of.wal.subList(0, common).equals(pg.wal);
        if (told != holds) {
            throw new AssertionError("the epoch history says %s of %s, the records say %s".formatted(told, end, holds));
        }
        return told;
    }

    private SortedSet<String> rows(SimPostgres pg, int shown) {
        SortedSet<String> rows = new TreeSet<>();
        records.forEach((label, rec) -> {
            if (pg.wal.subList(0, Math.min(shown, pg.wal.size())).contains(rec)) {
                rows.add(label);
            }
        });
        return rows;
    }

    @Override
    public void close() {
        busy(() -> {
            nodes.forEach(SimNode::crash);
        });
    }
}
