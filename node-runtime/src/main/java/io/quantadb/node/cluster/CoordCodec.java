package io.quantadb.node.cluster;

import java.util.ArrayList;
import java.util.List;

/** What decision cores say to each other, as bytes: a format byte, a tag, the term, then the fields in their order. */
public final class CoordCodec {
    private static final int FORMAT = 1;

    private CoordCodec() {}

    public static byte[] encode(CoordMessage message) {
        var out = new Wire.Out().b(FORMAT).b(tag(message)).l(message.term());
        switch (message) {
            case CoordMessage.Report m -> status(out.l(m.incarnation()), m.status());
            case CoordMessage.Probe m -> out.l(m.round());
            case CoordMessage.ProbeReply m -> status(out.l(m.round()), m.status());
            case CoordMessage.Freeze m -> out.l(m.epoch());
            case CoordMessage.FreezeReply m ->
                out.l(m.epoch()).l(m.generation()).position(m.position()).lsn(m.replayed());
            case CoordMessage.Fetch m -> out.l(m.epoch()).node(m.from()).position(m.target());
            case CoordMessage.ServeFetch m -> out.l(m.epoch()).node(m.to());
            case CoordMessage.FetchReply m -> out.l(m.epoch()).flag(m.done()).position(m.position());
            case CoordMessage.LeaseRequest m -> out.l(m.epoch()).l(m.requestId());
            case CoordMessage.LeaseGrant m -> out.l(m.epoch()).l(m.requestId()).l(m.durationNanos());
            case CoordMessage.LeaseReturned m -> out.l(m.epoch()).l(m.requestId());
            case CoordMessage.LeaseRecall m -> out.l(m.epoch());
            case CoordMessage.RestartInPlace m -> out.l(m.epoch());
            case CoordMessage.Discard m -> out.l(m.epoch()).l(m.generation());
            case CoordMessage.JointObeyed m -> out.l(m.version()).lsn(m.insertPosition());
            case CoordMessage.NextRuleSatisfied m ->
                out.l(m.version()).i(m.timeline()).i(m.parentTimeline()).lsn(m.fork());
            case CoordMessage.SwitchoverTold m -> steps(report(out, m.report()), m.report());
            case CoordMessage.SwitchoverStep m ->
                out.l(m.epoch()).l(m.round()).e(m.step()).node(m.heir()).i(m.drainMillis());
            case CoordMessage.SwitchoverStepDone m ->
                out.l(m.epoch()).l(m.round()).e(m.step()).l(m.heldMillis());
            case CoordMessage.Serves m -> out.l(m.epoch());
            case CoordMessage.Pace m -> out.l(m.tickLateNanos());
            case CoordMessage.Reads m -> out.l(m.incarnation()).i(m.version());
            case CoordMessage.RestartServer m -> out.l(m.epoch()).l(m.number());
            case CoordMessage.Follows m ->
                out.node(m.upstream())
                        .l(m.streaming())
                        .l(m.feeds())
                        .lsn(m.flushed())
                        .lsn(m.replayed());
        }
        return out.done();
    }

    private static int tag(CoordMessage message) {
        return switch (message) {
            case CoordMessage.Report m -> 0;
            case CoordMessage.Probe m -> 1;
            case CoordMessage.ProbeReply m -> 2;
            case CoordMessage.Freeze m -> 3;
            case CoordMessage.FreezeReply m -> 4;
            case CoordMessage.Fetch m -> 5;
            case CoordMessage.ServeFetch m -> 6;
            case CoordMessage.FetchReply m -> 7;
            case CoordMessage.LeaseRequest m -> 8;
            case CoordMessage.LeaseGrant m -> 9;
            case CoordMessage.LeaseReturned m -> 10;
            case CoordMessage.LeaseRecall m -> 11;
            case CoordMessage.RestartInPlace m -> 12;
            case CoordMessage.JointObeyed m -> 13;
            case CoordMessage.NextRuleSatisfied m -> 14;
            case CoordMessage.Discard m -> 20;
            case CoordMessage.SwitchoverTold m -> 48;
            case CoordMessage.SwitchoverStep m -> 22;
            case CoordMessage.SwitchoverStepDone m -> 23;
            case CoordMessage.Serves m -> 24;
            case CoordMessage.Pace m -> 32;
            case CoordMessage.Reads m -> 49;
            case CoordMessage.RestartServer m -> 25;
            case CoordMessage.Follows m -> 40;
        };
    }

    /** Throws {@link IllegalArgumentException} for bytes that no {@link #encode} of a known format wrote. */
    public static CoordMessage decode(byte[] bytes) {
        var in = new Wire.In(bytes);
        int format = in.b();
        if (format != FORMAT) {
            throw new IllegalArgumentException("message of format %d is not known here".formatted(format));
        }
        int tag = in.b();
        long term = in.l();
        CoordMessage message = switch (tag) {
            case 0 -> new CoordMessage.Report(term, in.l(), status(in));
            case 1 -> new CoordMessage.Probe(term, in.l());
            case 2 -> new CoordMessage.ProbeReply(term, in.l(), status(in));
            case 3 -> new CoordMessage.Freeze(term, in.l());
            case 4 -> new CoordMessage.FreezeReply(term, in.l(), in.l(), in.position(), in.lsn());
            case 5 -> new CoordMessage.Fetch(term, in.l(), in.node(), in.somePosition());
            case 6 -> new CoordMessage.ServeFetch(term, in.l(), in.node());
            case 7 -> new CoordMessage.FetchReply(term, in.l(), in.flag(), in.position());
            case 8 -> new CoordMessage.LeaseRequest(term, in.l(), in.l());
            case 9 -> new CoordMessage.LeaseGrant(term, in.l(), in.l(), in.l());
            case 10 -> new CoordMessage.LeaseReturned(term, in.l(), in.l());
            case 11 -> new CoordMessage.LeaseRecall(term, in.l());
            case 12 -> new CoordMessage.RestartInPlace(term, in.l());
            case 13 -> new CoordMessage.JointObeyed(term, in.l(), in.lsn());
            case 14 -> new CoordMessage.NextRuleSatisfied(term, in.l(), in.i(), in.i(), in.lsn());
            case 20 -> new CoordMessage.Discard(term, in.l(), in.l());
            // Of a leader of an earlier release, which tells no steps.
            case 21 -> new CoordMessage.SwitchoverTold(term, report(in));
            case 22 ->
                new CoordMessage.SwitchoverStep(
                        term, in.l(), in.l(), in.of(CoordMessage.Step.values()), in.node(), in.i());
            case 23 ->
                new CoordMessage.SwitchoverStepDone(term, in.l(), in.l(), in.of(CoordMessage.Step.values()), in.l());
            case 24 -> new CoordMessage.Serves(term, in.l());
            case 32 -> new CoordMessage.Pace(term, in.l());
            case 49 -> new CoordMessage.Reads(term, in.l(), in.i());
            case 48 -> new CoordMessage.SwitchoverTold(term, withSteps(report(in), in));
            case 25 -> new CoordMessage.RestartServer(term, in.l(), in.l());
            case 40 -> new CoordMessage.Follows(term, in.nodeOrNull(), in.l(), in.l(), in.lsn(), in.lsn());
            default -> throw new IllegalArgumentException("message %d is not known here".formatted(tag));
        };
        in.end();
        return message;
    }

    private static Wire.Out report(Wire.Out out, SwitchoverReport r) {
        out.l(r.id()).e(r.phase()).node(r.from()).node(r.to()).l(r.epoch());
        return out.s(r.words()).l(r.gapMillis()).l(r.tookMillis());
    }

    private static void steps(Wire.Out out, SwitchoverReport r) {
        out.count(r.steps().size());
        r.steps().forEach(s -> out.s(s.name()).l(s.millis()));
    }

    private static SwitchoverReport withSteps(SwitchoverReport r, Wire.In in) {
        List<SwitchoverReport.Step> steps = new ArrayList<>();
        int count = in.count(SwitchoverReport.STEPS_MAX);
        for (int i = 0; i < count; i++) {
            steps.add(new SwitchoverReport.Step(in.s(), in.l()));
        }
        return new SwitchoverReport(
                r.id(), r.phase(), r.from(), r.to(), r.epoch(), r.words(), r.gapMillis(), r.tookMillis(), steps);
    }

    private static SwitchoverReport report(Wire.In in) {
        return new SwitchoverReport(
                in.l(), in.of(SwitchoverReport.Phase.values()), in.node(), in.node(), in.l(), in.s(), in.l(), in.l());
    }

    private static void status(Wire.Out out, LocalStatus s) {
        out.l(s.generation()).l(s.promise()).l(s.appliedIndex()).l(s.appliedVersion());
        out.l(s.appliedEpoch()).e(s.server()).i(s.timeline()).flag(s.everRan());
        out.position(s.position()).lsn(s.replayed()).l(s.streamingEpoch()).lsn(s.flushed());
        out.flag(s.fit()).s(s.reason());
    }

    private static LocalStatus status(Wire.In in) {
        return new LocalStatus(
                in.l(),
                in.l(),
                in.l(),
                in.l(),
                in.l(),
                in.of(ServerState.values()),
                in.i(),
                in.flag(),
                in.position(),
                in.lsn(),
                in.l(),
                in.lsn(),
                in.flag(),
                in.s());
    }
}
