package io.quantadb.node.cluster;

import io.quantadb.node.common.Lsn;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The replicated state as bytes, for Raft snapshots: a format byte, which is the {@link ClusterVersion}, then the fields of
 * {@link ClusterState} in their order. A format that is not known is refused; {@value #BEFORE_SHRINK} lacks the time before a rule shrinks, {@value
 * #BEFORE_PAUSE} when maintenance ends, {@value #BEFORE_TUNING} the {@link Tuning}, {@value #BEFORE_FENCE} whether members
 * are fenced, and who serves reads without a leader, {@value #BEFORE_UPSTREAM} from whom a member is to stream, {@value
 * #BEFORE_PLACEMENT} what was set of it by command.
 */
public final class StateCodec {
    static final int BEFORE_SHRINK = 1;
    static final int BEFORE_PAUSE = 2;
    static final int BEFORE_TUNING = 3;
    static final int BEFORE_FENCE = 4;
    static final int BEFORE_UPSTREAM = 5;
    static final int BEFORE_PLACEMENT = 6;
    static final int FORMAT = 7;

    private StateCodec() {}

    public static byte[] encode(ClusterState s) {
        var out = new Wire.Out().b(ClusterVersion.format(s.clusterVersion()));
        out.s(s.clusterId()).l(s.systemIdentifier()).i(s.clusterVersion());
        out.l(s.epoch())
                .l(s.version())
                .node(s.primary())
                .l(s.primaryGeneration())
                .i(s.timeline());
        out.l(s.releasedEpoch()).node(s.releasedPrimary()).l(s.releasedGeneration());
        out.rule(s.rule()).rule(s.nextRule());
        out.count(s.history().size());
        for (EpochRecord r : s.history()) {
            out.l(r.epoch()).node(r.node()).i(r.timeline()).i(r.parentTimeline());
            out.lsn(r.expectedFork()).lsn(r.fork()).flag(r.released());
        }
        out.i(s.lastTimeline());
        out.count(s.members().size());
        s.members().values().forEach(m -> member(out, m));
        settings(out, s.settings());
        out.count(s.failovers().size());
        for (FailoverRecord f : s.failovers()) {
            out.l(f.whenMillis()).node(f.from()).node(f.to()).l(f.epoch()).s(f.reason());
        }
        return out.done();
    }

    /** Throws {@link IllegalArgumentException} for bytes that no {@link #encode} of a known format wrote. */
    public static ClusterState decode(byte[] bytes) {
        var in = new Wire.In(bytes);
        int format = in.b();
        ClusterVersion.check("a cluster state", format);
        var state = new Draft(ClusterState.EMPTY);
        state.clusterId = in.s();
        state.systemIdentifier = in.l();
        state.clusterVersion(in.i());
        state.epoch = in.l();
        state.version = in.l();
        state.primary = in.nodeOrNull();
        state.primaryGeneration = in.l();
        state.timeline = in.i();
        state.releasedEpoch = in.l();
        state.releasedPrimary = in.nodeOrNull();
        state.releasedGeneration = in.l();
        state.rule(in.rule()).next(in.ruleOrNull());
        List<EpochRecord> history = new ArrayList<>();
        for (int n = in.count(ClusterState.MAX_HISTORY); n > 0; n--) {
            history.add(new EpochRecord(in.l(), in.node(), in.i(), in.i(), in.lsn(), new Lsn(in.l()), in.flag()));
        }
        state.history = history;
        state.lastTimeline = in.i();
        for (int n = in.count(ClusterState.MAX_MEMBERS); n > 0; n--) {
            state.member(member(in, format));
        }
        state.settings(settings(in, format));
        List<FailoverRecord> failovers = new ArrayList<>();
        for (int n = in.count(ClusterState.MAX_FAILOVERS); n > 0; n--) {
            failovers.add(new FailoverRecord(in.l(), in.nodeOrNull(), in.node(), in.l(), in.s()));
        }
        state.failovers = failovers;
        in.end();
        return state.done();
    }

    static void member(Wire.Out out, Member m) {
        out.peer(m.peer()).l(m.generation()).e(m.kind()).e(m.state());
        out.addresses(m.addresses())
                .s(m.ownZone())
                .i(m.ownPriority())
                .flag(m.maintenance())
                .e(m.fence())
                .node(m.upstream());
        placement(out, m.set().priority(), m.set().zone());
    }

    static Wire.Out placement(Wire.Out out, @Nullable Integer priority, @Nullable String zone) {
        out.flag(priority != null).flag(zone != null);
        return out.i(priority == null ? 0 : priority).s(zone == null ? "" : zone);
    }

    static Placement placement(Wire.In in) {
        boolean priority = in.flag();
        boolean zone = in.flag();
        int p = in.i();
        String z = in.s();
        return new Placement(priority ? p : null, zone ? z : null);
    }

    /** @param format of the command or state that it stands in */
    static Member member(Wire.In in, int format) {
        return new Member(
                in.peer(),
                in.l(),
                in.of(MemberKind.values()),
                in.of(MemberState.values()),
                in.addresses(),
                in.s(),
                in.i(),
                in.flag(),
                format > BEFORE_FENCE ? in.of(Fence.values()) : Fence.NONE,
                format > BEFORE_UPSTREAM ? in.nodeOrNull() : null,
                format > BEFORE_PLACEMENT ? placement(in) : Placement.NONE);
    }

    static void settings(Wire.Out out, Settings s) {
        out.e(s.mode()).e(s.policy()).i(s.shrinkAfterMillis()).i(s.heartbeatMillis());
        out.i(s.electionTimeoutMinMillis()).i(s.electionTimeoutMaxMillis()).i(s.leaseMillis());
        out.l(s.pausedUntilMillis());
        Tuning t = s.tuning();
        out.i(t.electionBaseMinMillis()).i(t.electionBaseMaxMillis()).i(t.electionLimitMillis());
        out.i(t.moveDelayMillis()).flag(t.acrossRegions()).i(t.slowAfterMillis());
        out.e(s.minorityReads());
    }

    /** @param format of the command or state that they stand in */
    static Settings settings(Wire.In in, int format) {
        var mode = in.of(Settings.Mode.values());
        var policy = in.of(Settings.Policy.values());
        int shrinkAfter = format > BEFORE_SHRINK ? in.i() : Settings.SHRINK_AFTER_MILLIS;
        var timers = new Timers(in.i(), in.i(), in.i(), in.i());
        long pausedUntil = format > BEFORE_PAUSE ? in.l() : 0;
        Tuning tuning = format > BEFORE_TUNING
                ? new Tuning(in.i(), in.i(), in.i(), in.i(), in.flag(), in.i())
                : Tuning.of(timers);
        Settings.MinorityReads reads =
                format > BEFORE_FENCE ? in.of(Settings.MinorityReads.values()) : Settings.MinorityReads.REPLICAS;
        return new Settings(mode, policy, shrinkAfter, timers)
                .withPausedUntil(pausedUntil)
                .withTuning(tuning)
                .withMinorityReads(reads);
    }
}
