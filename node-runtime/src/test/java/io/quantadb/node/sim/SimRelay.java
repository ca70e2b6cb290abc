package io.quantadb.node.sim;

import io.quantadb.node.cluster.Action;
import io.quantadb.node.cluster.Event;
import io.quantadb.node.cluster.Position;
import io.quantadb.node.cluster.ServerState;
import io.quantadb.node.cluster.VoicePermit;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;

/**
 * The WAL relay of one node: follows one upstream under one epoch, serves streams of one epoch, and is the voice. It
 * keeps the rules that the real relay keeps; the voice asks the production rule.
 */
final class SimRelay {
    /** A stream as the serving side has it; it may outlive the other end. */
    static final class Served {
        final long id;
        final SimNode member;
        final MemberRef ref;
        final long epoch;
        final int checked;
        int sent;
        int reported;
        boolean dead;

        Served(long id, SimNode member, MemberRef ref, long epoch, int checked, int start) {
            this.id = id;
            this.member = member;
            this.ref = ref;
            this.epoch = epoch;
            this.checked = checked;
            this.sent = start;
        }
    }

    private final SimNode node;
    private final SimWorld world;

    // following
    private Action.Follow follow;
    private long streamId;
    private boolean opened;
    private boolean dialling;
    private long lastReported;
    private int streamStart;
    private int streamDelivered;

    // serving
    private long serveEpoch;
    private NodeId fetcher;
    private Set<NodeId> fed = Set.of();
    private final TreeMap<Long, Served> served = new TreeMap<>();

    // voice
    boolean voiceOpen;
    VoicePermit permit;
    Lsn voice = Lsn.NONE;
    private int voiceRun;
    private int permitRun;

    SimRelay(SimNode node) {
        this.node = node;
        this.world = node.world;
    }

    void crash() {
        follow = null;
        streamId = 0;
        dialling = false;
        served.clear();
        serveEpoch = 0;
        fetcher = null;
        fed = Set.of();
        voiceOpen = false;
        permit = null;
        voice = Lsn.NONE;
    }

    // ---- following

    void follow(Action.Follow order) {
        dropUpstream();
        follow = order;
        lastReported = -1;
        dial();
    }

    void stopFollowing() {
        dropUpstream();
        follow = null;
    }

    private void dropUpstream() {
        streamId = 0;
        opened = false;
    }

    private void dial() {
        Action.Follow order = follow;
        if (order == null || dialling || streamId != 0 || node.pg.state != ServerState.STANDBY) {
            return;
        }
        dialling = true;
        node.later(2, 8, () -> {
            dialling = false;
            if (!order.equals(follow) || streamId != 0 || node.pg.state != ServerState.STANDBY) {
                return;
            }
            long id = world.network.newConnection();
            SimNode up = world.nodes.get(order.upstream());
            int start = node.pg.wal.size();
            boolean sent = world.network.stream(
                    id, node.id, up.id, () -> up.input(() -> up.relay.onOpen(id, node, order, start)));
            if (sent) {
                streamId = id;
                streamStart = start;
                streamDelivered = start;
                opened = false;
            }
            node.later(100, 120, () -> {
                if (streamId == id
                        && !world.nodes.get(order.upstream()).relay.served.containsKey(id)) {
                    streamId = 0;
                    dial();
                }
            });
            if (!sent) {
                node.later(20, 40, this::dial);
            }
        });
    }

    private void onOpened(long id, Action.Follow order, int start) {
        if (streamId == id && order.equals(follow)) {
            opened = true;
            node.event(
                    new Event.StreamOpened(order.upstream(), order.epoch(), node.pg.timeline, SimPostgres.lsn(start)));
            report();
        }
    }

    void onBroken(long id) {
        if (streamId == id && follow != null) {
            streamId = 0;
            node.event(new Event.StreamClosed(follow.upstream(), follow.epoch(), "broken"));
            node.later(10, 30, this::dial);
        }
    }

    private void onData(long id, List<SimPostgres.Rec> records) {
        if (streamId != id || follow == null || node.pg.state != ServerState.STANDBY) {
            return;
        }
        streamDelivered += records.size();
        node.pg.receive(records);
        node.pg.flushSoon();
    }

    void onFlushed() {
        if (node.pg.ready) {
            pushAll();
            speak();
        } else {
            report();
            pushFed();
        }
    }

    /**
     * A receiver that was started anew may speak of the segment that it is about to ask for as if it had it. The one before
     * it flushed all that it had when it ended, so one that has something to flush was not started anew.
     */
    private int receiverReports() {
        int flushed = node.pg.flushed;
        boolean anew = streamDelivered == streamStart && flushed >= streamStart && node.pg.run % 2 == 1;
        return anew ? (flushed / 32 + 1) * 32 : flushed;
    }

    private void report() {
        Action.Follow order = follow;
        long id = streamId;
        if (order == null || id == 0) {
            return;
        }
        int at = (int) world.bugs.believed(receiverReports(), streamDelivered, streamStart);
        Lsn lsn = SimPostgres.lsn(at);
        if (lastReported != at) {
            lastReported = at;
            node.event(new Event.ReceiverProgress(order.epoch(), SimPostgres.lsn(node.pg.wal.size()), lsn, lsn));
        }
        world.oracle.onAcknowledges(node, order.epoch());
        SimNode up = world.nodes.get(order.upstream());
        boolean sent = world.network.stream(id, node.id, up.id, () -> up.input(() -> up.relay.onReport(id, node, at)));
        if (!sent) {
            breakBoth(id, up);
        }
    }

    /** A cut connection is noticed by both ends, each in its own time. */
    private void breakBoth(long id, SimNode other) {
        Served there = other.relay.served.get(id);
        if (there != null) {
            there.dead = true;
        }
        node.later(20, 150, () -> onBroken(id));
        other.later(20, 400, () -> other.relay.onGone(id));
        world.network.closed(id);
    }

    /** The following end drops its connection and dials again, long before the serving end notices. */
    void redial() {
        long id = streamId;
        if (id != 0 && follow != null) {
            SimNode up = world.nodes.get(follow.upstream());
            onBroken(id);
            up.later(100, 600, () -> up.relay.onGone(id));
        }
    }

    /** A heartbeat on the stream, so that a cut or a dead end is noticed. */
    void beat() {
        if (streamId != 0 && opened && follow != null) {
            SimNode up = world.nodes.get(follow.upstream());
            if (!up.relay.served.containsKey(streamId)) {
                long id = streamId;
                node.later(20, 60, () -> onBroken(id));
            } else {
                report();
            }
        } else if (streamId == 0) {
            dial();
        }
        if (node.pg.ready) {
            pushAll();
            speak();
        } else {
            pushFed();
        }
    }

    void closeBelow(long epoch) {
        if (follow != null && follow.epoch() < epoch) {
            stopFollowing();
        }
        served.values().removeIf(s -> s.epoch < epoch);
        if (serveEpoch < epoch) {
            serveEpoch = 0;
        }
        node.later(0.2, 3, () -> {
            node.pg.sync();
            node.event(new Event.StreamsClosedBelow(epoch));
        });
    }

    // ---- serving

    void serve(long epoch) {
        serveEpoch = epoch;
        fetcher = null;
        fed = Set.of();
        served.values().removeIf(s -> s.epoch != epoch);
    }

    /** As a standby, these alone. */
    void feed(long epoch, Set<NodeId> members) {
        serveEpoch = epoch;
        fetcher = null;
        fed = members;
        served.values().removeIf(s -> s.epoch != epoch || !members.contains(s.member.id));
    }

    /** Whom this node follows now and has a stream from; null when it has none. */
    NodeId upstream() {
        return follow != null && opened && streamId != 0 ? follow.upstream() : null;
    }

    void serveFetch(NodeId to, long epoch) {
        serveEpoch = epoch;
        fetcher = to;
        fed = Set.of();
    }

    /** The heir's stream alone is worth waiting for. */
    void keepOnly(NodeId heir) {
        served.values().removeIf(s -> !s.member.id.equals(heir));
    }

    /** Whether everybody who streams has flushed all; what is dead is not known to be until somebody notices. */
    boolean allDelivered() {
        return served.values().stream().allMatch(s -> s.reported >= node.pg.flushed);
    }

    private void onOpen(long id, SimNode member, Action.Follow order, int start) {
        boolean fetch = (fetcher != null && fetcher.equals(member.id)) || fed.contains(member.id);
        boolean may =
                serveEpoch == order.epoch() && !node.pg.shuttingDown && (fetch ? node.pg.running() : node.pg.ready);
        if (!may) {
            member.later(1, 3, () -> member.relay.onBroken(id));
            return;
        }
        Position checked = order.checked();
        var s = new Served(
                id,
                member,
                new MemberRef(member.id, order.generation()),
                order.epoch(),
                SimPostgres.records(checked.lsn()),
                start);
        served.put(id, s);
        boolean told = world.network.stream(
                id, node.id, member.id, () -> member.input(() -> member.relay.onOpened(id, order, start)));
        if (told) {
            push(s);
        } else {
            // A connection gives nothing that comes after what it lost.
            s.dead = true;
            node.later(20, 400, () -> onGone(id));
            member.later(20, 150, () -> member.relay.onBroken(id));
        }
    }

    private void onGone(long id) {
        Served s = served.remove(id);
        if (s != null) {
            node.event(new Event.MemberGone(s.ref, s.epoch));
        }
    }

    private void pushAll() {
        for (Served s : new ArrayList<>(served.values())) {
            push(s);
        }
    }

    private void pushFed() {
        if (!fed.isEmpty() && node.pg.running()) {
            pushAll();
        }
    }

    /** Only what is flushed leaves the primary. */
    private void push(Served s) {
        int to = node.pg.flushed;
        if (to <= s.sent || s.dead) {
            return;
        }
        List<SimPostgres.Rec> records = List.copyOf(node.pg.wal.subList(s.sent, to));
        if (fed.contains(s.member.id)) {
            world.oracle.onFed(node, s.epoch, s.sent, to);
        }
        s.sent = to;
        long id = s.id;
        double lateMs = s.member.slow.atMost(SimSlowness.Part.WAL_ARRIVAL, 0);
        boolean sent = world.network.stream(
                id,
                node.id,
                s.member.id,
                lateMs > 0 ? world.between(0, lateMs) : 0,
                () -> s.member.input(() -> s.member.relay.onData(id, records)));
        if (!sent) {
            s.dead = true;
            node.later(20, 400, () -> onGone(id));
            s.member.later(20, 150, () -> s.member.relay.onBroken(id));
        }
    }

    private void onReport(long id, SimNode member, int at) {
        Served s = served.get(id);
        if (s == null || !s.member.equals(member)) {
            return;
        }
        int before = s.reported;
        s.reported = Math.max(s.reported, at);
        if (s.reported > before) {
            node.event(new Event.MemberProgress(s.ref, s.epoch, SimPostgres.lsn(s.reported), Lsn.NONE));
            speak();
        }
    }

    // ---- the voice

    void openVoice() {
        int mine = ++voiceRun;
        node.later(1, 4, () -> {
            if (mine == voiceRun && node.pg.ready) {
                voiceOpen = true;
                node.event(new Event.VoiceOpened());
                speak();
            }
        });
    }

    void closeVoice() {
        voiceRun++;
        voiceOpen = false;
    }

    void serverGone() {
        voiceRun++;
        voiceOpen = false;
        voice = Lsn.NONE;
        streamId = 0;
        served.clear();
    }

    void setPermit(VoicePermit next) {
        if (next == null) {
            permitRun++;
            permit = null;
            return;
        }
        int mine = permitRun;
        node.later(0.1, node.slow.atMost(SimSlowness.Part.PERMIT, world.chance(0.1) ? 40 : 1), () -> {
            boolean newer = permit == null
                    || permit.epoch() < next.epoch()
                    || (permit.epoch() == next.epoch() && permit.version() < next.version());
            if (newer && mine == permitRun) {
                permit = next;
                node.event(new Event.PermitObeyed(next.epoch(), next.version()));
                speak();
            }
        });
    }

    void speak() {
        VoicePermit p = permit;
        if (!voiceOpen || p == null || !node.pg.ready || !node.leaseHeld(p.epoch())) {
            return;
        }
        List<SimBugs.MemberStream> streams = new ArrayList<>();
        for (Served s : served.values()) {
            if (s.epoch == p.epoch()) {
                streams.add(new SimBugs.MemberStream(s.ref, SimPostgres.lsn(s.reported)));
            }
        }
        Lsn q = world.bugs.voice(p, streams, SimPostgres.lsn(node.pg.flushed));
        if (q.compareTo(voice) > 0) {
            voice = q;
            world.oracle.onVoice(node, p, q);
            node.event(new Event.VoiceReported(q));
            node.front.onVoice();
        }
    }
}
