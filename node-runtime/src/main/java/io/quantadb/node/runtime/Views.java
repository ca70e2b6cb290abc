package io.quantadb.node.runtime;

import io.quantadb.node.api.ClusterView;
import io.quantadb.node.cluster.ClusterCore;
import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.CoordMessage;
import io.quantadb.node.cluster.FailoverRecord;
import io.quantadb.node.cluster.Member;
import io.quantadb.node.cluster.MemberKind;
import io.quantadb.node.cluster.MemberState;
import io.quantadb.node.cluster.Rule;
import io.quantadb.node.cluster.ServerState;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MonotonicClock;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import io.quantadb.node.config.NodeConfig;
import io.quantadb.node.consensus.RaftStatus;
import io.quantadb.node.coordinator.NodeFacts;
import io.quantadb.node.coordinator.ReplicatedState;
import io.quantadb.node.relay.RelaySnapshot;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What this node tells people about itself and its cluster, as one immutable value. Core thread. */
final class Views {
    /** A WAL receiver says once a second where it is, however idle. */
    private static final long STREAM_SILENT_NANOS = TimeUnit.SECONDS.toNanos(3);

    private final NodeConfig config;
    private final String clusterId;
    private final long laggingBytes;
    private final long laggingMs;
    private final Instant started;
    private final MonotonicClock clock;
    private final ClusterCore core;
    private final ReplicatedState replicated;
    private final NodeParts parts;
    private final ServingLease lease;
    private final Heard heard;
    private final Supplier<Set<NodeId>> walGone;
    private final FedMembers fed;
    private final OwnLag ownLag;

    /** @param walGone members whose WAL this primary keeps no longer */
    Views(
            NodeConfig config,
            String clusterId,
            Instant started,
            MonotonicClock clock,
            ClusterCore core,
            ReplicatedState replicated,
            NodeParts parts,
            ServingLease lease,
            Heard heard,
            Supplier<Set<NodeId>> walGone,
            FedMembers fed,
            OwnLag ownLag) {
        this.config = config;
        this.clusterId = clusterId;
        this.laggingBytes = config.cluster().replication().maxLagBytes().bytes();
        this.laggingMs = config.cluster().replication().maxLagTime().toMillis();
        this.started = started;
        this.clock = clock;
        this.core = core;
        this.replicated = replicated;
        this.parts = parts;
        this.lease = lease;
        this.heard = heard;
        this.walGone = walGone;
        this.fed = fed;
        this.ownLag = ownLag;
    }

    /** Before this node belongs to a cluster. */
    static ClusterView joining(NodeConfig config, Instant started, @Nullable NodeFacts facts) {
        boolean member = facts != null && facts.isMember();
        return new ClusterView(
                config.cluster().nodeId(),
                started,
                Duration.between(started, Instant.now()).toSeconds(),
                ClusterView.Role.STANDBY,
                ClusterView.State.STARTING,
                NodeIdentity.addresses(config),
                new ClusterView.Raft(ClusterView.RaftState.NONE, 0, null, 0, 0),
                null,
                0,
                0,
                Lsn.NONE,
                "",
                null,
                member ? ClusterView.Membership.STARTING : ClusterView.Membership.NONE,
                facts == null ? "" : facts.clusterId(),
                List.of(),
                null,
                false,
                false,
                false,
                false,
                member ? "starting" : "not in a cluster yet");
    }

    ClusterView now(@Nullable RaftStatus raft) {
        ClusterState s = replicated.current();
        NodeId self = config.cluster().nodeId();
        RelaySnapshot relay = parts.relay().snapshot();
        ServerState server = core.status().server();
        boolean primary = self.equals(s.primary());
        boolean serving = primary && parts.gate().serving() && lease.leftNanos() > 0;
        List<ClusterView.Member> members = new ArrayList<>();
        fed.begin(s.epoch());
        for (Member m : s.members().values()) {
            members.add(member(m, s, relay, serving, raft));
        }
        fed.end();
        String reason = reason(s, self, server, serving, relay, raft);
        FailoverRecord last = s.failovers().reversed().stream()
                .filter(f -> !f.planned())
                .findFirst()
                .orElse(null);
        return new ClusterView(
                self,
                started,
                Duration.between(started, Instant.now()).toSeconds(),
                primary
                        ? ClusterView.Role.PRIMARY
                        : witness(s.member(self))
                                ? ClusterView.Role.WITNESS
                                : server == ServerState.STANDBY ? ClusterView.Role.REPLICA : ClusterView.Role.STANDBY,
                state(self, s, server, relay, serving),
                NodeIdentity.addresses(config),
                raft(raft),
                s.primary(),
                s.epoch(),
                s.timeline(),
                ownLsn(primary, relay),
                rule(s),
                s.bootstrapped() ? s.settings() : null,
                ClusterView.Membership.MEMBER,
                clusterId,
                members,
                last == null ? null : Instant.ofEpochMilli(last.whenMillis()),
                s.bootstrapped() && !s.released(),
                primary && lease.leftNanos() > 0,
                serving,
                reason.isEmpty(),
                reason,
                resyncs(relay.backups()),
                core.heldBack(),
                new ClusterView.ServerRun(
                        parts.server().pid(),
                        parts.engine().pendingRestart(),
                        parts.gate().reads()));
    }

    private static ClusterView.Resyncs resyncs(RelaySnapshot.Backups given) {
        return new ClusterView.Resyncs(given.asked(), given.begun(), given.complete(), given.failed());
    }

    private static ClusterView.Raft raft(@Nullable RaftStatus raft) {
        if (raft == null) {
            return new ClusterView.Raft(ClusterView.RaftState.NONE, 0, null, 0, 0);
        }
        PeerId leader = raft.leader();
        boolean learner = raft.membership().learners().contains(raft.self());
        ClusterView.RaftState state = learner
                ? ClusterView.RaftState.LEARNER
                : switch (raft.role()) {
                    case LEADER -> ClusterView.RaftState.LEADER;
                    case FOLLOWER -> ClusterView.RaftState.FOLLOWER;
                    default -> ClusterView.RaftState.CANDIDATE;
                };
        return new ClusterView.Raft(
                state,
                raft.term(),
                leader == null ? null : leader.node(),
                raft.commitIndex(),
                raft.appliedIndex(),
                raft.followers().stream()
                        .map(f -> new ClusterView.Follower(
                                f.peer().node(), f.match(), f.lag(), f.lastLatencyMs(), f.consecutiveFailures()))
                        .toList());
    }

    private static Lsn ownLsn(boolean primary, RelaySnapshot relay) {
        RelaySnapshot.Following following = relay.following();
        if (primary || following == null) {
            return Lsn.max(relay.voice().ownFlush(), relay.voice().reported());
        }
        return following.flushed();
    }

    private ClusterView.State state(
            NodeId self, ClusterState s, ServerState server, RelaySnapshot relay, boolean serving) {
        RelaySnapshot.Following following = relay.following();
        if (witness(s.member(self))) {
            return ClusterView.State.STOPPED;
        }
        return switch (server) {
            case EMPTY -> parts.engine().rewinding() ? ClusterView.State.REWINDING : ClusterView.State.CLONING;
            case DOWN -> fenced(s.member(self)) ? ClusterView.State.STOPPED : ClusterView.State.DOWN;
            case PROMOTING -> ClusterView.State.PROMOTING;
            case PRIMARY ->
                serving && s.released() && self.equals(s.primary())
                        ? ClusterView.State.ACTIVE
                        : ClusterView.State.STARTING;
            case STANDBY ->
                following != null && following.streaming() ? ClusterView.State.STREAMING : ClusterView.State.CONNECTING;
        };
    }

    private String reason(
            ClusterState s,
            NodeId self,
            ServerState server,
            boolean serving,
            RelaySnapshot relay,
            @Nullable RaftStatus raft) {
        if (raft == null || raft.leader() == null) {
            return "no leader is known";
        }
        if (fenced(s.member(self))) {
            return "fenced by an operator";
        }
        if (self.equals(s.primary())) {
            return serving ? "" : "primary of epoch %d, not serving yet".formatted(s.epoch());
        }
        if (witness(s.member(self))) {
            return "";
        }
        RelaySnapshot.Following following = relay.following();
        String fault = core.status().reason();
        String words = fault.isEmpty() ? parts.server().trouble() : fault;
        String why = words.isEmpty() ? "" : "; " + words;
        if (parts.engine().rewinding()) {
            return "its data goes back to where it left the primary's" + why;
        }
        String waits = parts.engine().waitsFor();
        if (server == ServerState.EMPTY && !waits.isEmpty()) {
            return waits;
        }
        if (server != ServerState.STANDBY) {
            return "its server is " + server.name().toLowerCase(java.util.Locale.ROOT) + why;
        }
        if (following == null || !following.streaming()) {
            NodeId from = following == null ? null : following.upstream();
            return "not streaming from %s%s"
                    .formatted(from == null || from.equals(s.primary()) ? "the primary" : from, why);
        }
        Member me = s.members().get(self);
        return me == null || me.state() == MemberState.LEARNER ? "catching up with the primary" : "";
    }

    private static boolean witness(@Nullable Member m) {
        return m != null && m.kind() == MemberKind.WITNESS;
    }

    private static boolean fenced(@Nullable Member m) {
        return m != null && m.fence().fenced();
    }

    private static String rule(ClusterState s) {
        return rule(s.rule()) + (s.nextRule() == null ? "" : " AND " + rule(s.nextRule()));
    }

    private static String rule(Rule rule) {
        return rule.k() == 0
                ? "none"
                : "ANY %d of (%s)"
                        .formatted(
                                rule.k(),
                                rule.set().stream().map(m -> m.node().value()).collect(Collectors.joining(", ")));
    }

    private ClusterView.Member member(
            Member m, ClusterState s, RelaySnapshot relay, boolean serving, @Nullable RaftStatus raft) {
        NodeId self = config.cluster().nodeId();
        boolean me = m.node().equals(self);
        boolean primary = m.node().equals(s.primary());
        long now = clock.nanos();
        long silentMs = me ? 0 : heard.silentMillis(m.node(), now);
        RelaySnapshot.Following following = relay.following();
        boolean follows = following != null && following.streaming();
        RelaySnapshot.Member stream = relay.members().stream()
                .filter(r -> r.member().node().equals(m.node()) && r.epoch() == s.epoch())
                .findFirst()
                .orElse(null);
        boolean feeds = follows && following != null && m.node().equals(following.upstream());
        boolean here = me || heard.lately(silentMs) || feeds || speaks(stream, now);
        CoordMessage.Follows elsewhere = me || stream != null ? null : fedElsewhere(m, s);
        Behind behind = behind(m, s, relay, stream, elsewhere);
        NodeId upstream = upstream(m, s, here, stream, me ? following : null);
        boolean streams = elsewhere != null || (stream != null && stream.streaming());
        ClusterView.State state = me
                ? state(self, s, core.status().server(), relay, serving)
                : here
                        ? copy(relay, m) != null ? ClusterView.State.CLONING : stateOf(m, s, stream != null, streams)
                        : away(
                                follows,
                                witness(m) || witness(s.member(self)),
                                silentMs,
                                Heard.expected(m.node(), raft));
        boolean desynced = stream == null && walGone.get().contains(m.node());
        // A stream of its own is all that a standby knows before it has heard how far the primary is.
        boolean well = primary || witness(m) || (me && follows && behind.bytes() < 0);
        ClusterView.Role role = m.kind() == MemberKind.WITNESS
                ? ClusterView.Role.WITNESS
                : primary ? ClusterView.Role.PRIMARY : here ? ClusterView.Role.REPLICA : ClusterView.Role.UNKNOWN;
        return new ClusterView.Member(
                m.node(),
                m.kind(),
                role,
                state,
                desynced
                        ? ClusterView.Health.DESYNCED
                        : !here
                                ? ClusterView.Health.UNKNOWN
                                : well ? ClusterView.Health.HEALTHY : behind.health(laggingBytes, laggingMs),
                m.dataVoter() || m.kind() == MemberKind.WITNESS,
                s.rule().set().stream().anyMatch(r -> r.node().equals(m.node())),
                m.state() == MemberState.LEAVING,
                m.maintenance(),
                m.addresses(),
                m.generation(),
                s.epoch(),
                s.timeline(),
                me
                        ? ownLsn(primary, relay)
                        : stream != null ? stream.flushed() : elsewhere != null ? elsewhere.flushed() : Lsn.NONE,
                behind.bytes(),
                behind.millis(),
                silentMs,
                m.priority(),
                m.zone(),
                streamOf(stream, me ? following : null),
                note(m, s, behind, upstream, relay),
                m.fence().fenced(),
                upstream,
                m.upstream(),
                own(m));
    }

    private static ClusterView.Own own(Member m) {
        return new ClusterView.Own(
                m.ownPriority(),
                m.ownZone(),
                m.set().priority() != null,
                m.set().zone() != null);
    }

    /** Whether a member's stream alone shows that it is there: open, and its receiver has said something of late. */
    static boolean speaks(RelaySnapshot.@Nullable Member stream, long nowNanos) {
        return stream != null && stream.streaming() && nowNanos - stream.lastMessageNanos() < STREAM_SILENT_NANOS;
    }

    private static ClusterView.Stream streamOf(
            RelaySnapshot.@Nullable Member stream, RelaySnapshot.@Nullable Following following) {
        if (stream != null) {
            return new ClusterView.Stream(
                    stream.roundTripNanos() < 0 ? -1 : millis(stream.roundTripNanos()),
                    stream.bytesPerSecond(),
                    stream.errors());
        }
        return following == null
                ? ClusterView.Stream.NONE
                : new ClusterView.Stream(-1, following.bytesPerSecond(), following.errors());
    }

    /**
     * Only the primary compares others with the primary: what a standby feeds it compares with what it has itself. Of
     * itself a standby knows what the primary says.
     */
    private Behind behind(
            Member m,
            ClusterState s,
            RelaySnapshot relay,
            RelaySnapshot.@Nullable Member stream,
            CoordMessage.@Nullable Follows elsewhere) {
        if (m.node().equals(s.primary())) {
            return Behind.NOTHING;
        }
        NodeId self = config.cluster().nodeId();
        RelaySnapshot.Following following = relay.following();
        if (m.node().equals(self) && following != null && following.streaming() && following.epoch() == s.epoch()) {
            return ownLag.measure(s.epoch(), following.delivered(), following.flushed(), clock.nanos());
        }
        if (!self.equals(s.primary())) {
            return Behind.UNKNOWN;
        }
        Lsn end = ownLsn(true, relay);
        if (stream != null) {
            return new Behind(lagBytes(stream, end), stream.lagNanos() / 1_000_000);
        }
        if (elsewhere == null) {
            return Behind.UNKNOWN;
        }
        return new Behind(
                Math.max(0, end.minus(elsewhere.flushed())),
                fed.flushed(m.node(), elsewhere.flushed(), end, clock.nanos()));
    }

    /** What the server last sent says nothing of what came since, where the way to the member is full. */
    static long lagBytes(RelaySnapshot.Member stream, Lsn end) {
        return stream.lagBytes() < 0 ? -1 : Math.max(stream.lagBytes(), end.minus(stream.flushed()));
    }

    /**
     * Of a member that is not there: gone, or only out of this node's sight.
     *
     * @param follows whether this node's own WAL streams: it is not the one that is cut off
     * @param witness whether it or this node is one: then no WAL tells of it
     * @param expected whether it is to be heard here
     */
    static ClusterView.State away(boolean follows, boolean witness, long silentMs, boolean expected) {
        boolean unseen = (follows && silentMs < 0) || (!expected && (follows || witness));
        return unseen ? ClusterView.State.UNKNOWN : ClusterView.State.DOWN;
    }

    /** Of a member that was heard of, as far as its stream tells. */
    private static ClusterView.State stateOf(Member m, ClusterState s, boolean hasStream, boolean streams) {
        if (witness(m) || (fenced(m) && !hasStream)) {
            return ClusterView.State.STOPPED;
        }
        if (m.node().equals(s.primary())) {
            return s.released() ? ClusterView.State.ACTIVE : ClusterView.State.PROMOTING;
        }
        return streams ? ClusterView.State.STREAMING : ClusterView.State.UNKNOWN;
    }

    /** What a member says that streams from another standby in this epoch; null of everybody else. */
    private CoordMessage.@Nullable Follows fedElsewhere(Member m, ClusterState s) {
        CoordMessage.Follows news = core.follows(m.node());
        if (news == null || news.streaming() != s.epoch()) {
            return null;
        }
        NodeId from = news.upstream();
        return from == null || from.equals(s.primary()) ? null : news;
    }

    /** From whom a member streams, as far as is known here. */
    private @Nullable NodeId upstream(
            Member m,
            ClusterState s,
            boolean heardOf,
            RelaySnapshot.@Nullable Member stream,
            RelaySnapshot.@Nullable Following following) {
        NodeId self = config.cluster().nodeId();
        if (m.node().equals(s.primary()) || witness(m)) {
            return null;
        }
        if (m.node().equals(self)) {
            return following == null ? null : following.upstream();
        }
        if (stream != null) {
            return self;
        }
        CoordMessage.Follows news = core.follows(m.node());
        if (news != null) {
            return news.upstream();
        }
        // Whoever is fed says so; the primary knows whom it feeds itself.
        return m.upstream() == null && heardOf && !self.equals(s.primary()) ? s.primary() : null;
    }

    /** With two places behind the point. */
    private static double millis(long nanos) {
        return Math.round(nanos / 1e4) / 1e2;
    }

    /** What is known here of a copy that the member makes, or waits for. */
    private static RelaySnapshot.@Nullable Copy copy(RelaySnapshot relay, Member m) {
        return relay.copies().stream()
                .filter(c -> c.member().equals(m.node()))
                .findFirst()
                .orElse(null);
    }

    private String note(Member m, ClusterState s, Behind behind, @Nullable NodeId upstream, RelaySnapshot relay) {
        RelaySnapshot.Copy copy = copy(relay, m);
        boolean me = m.node().equals(config.cluster().nodeId());
        String waits = me ? parts.engine().waitsFor() : "";
        if (copy != null || !waits.isEmpty()) {
            return copy == null ? waits : copy.words();
        }
        return MemberNotes.of(m, s, behind.millis(), upstream, me ? relay.following() : null);
    }
}
