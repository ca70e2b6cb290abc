package io.quantadb.node.cluster;

import io.quantadb.node.common.NodeId;
import org.jspecify.annotations.Nullable;

/**
 * An operator's request and its answer as bytes, as nodes pass them on to the leader: a format byte, the kind, the asker's
 * number of it (64 bits), then what the kind has: 1 a question and 5 one in its turn (64 bits) have a tag and the fields
 * in their order, 2 is an answer, 3 asks for a turn, 4 is the turn (64 bits).
 */
public final class AdminCodec {
    private static final int FORMAT = 1;
    private static final int QUESTION = 1;
    private static final int ANSWER = 2;
    private static final int TURN_ASKED = 3;
    private static final int TURN = 4;
    private static final int IN_TURN = 5;

    private static final int KEPT = -1;

    private AdminCodec() {}

    /** What one message says. */
    public sealed interface Message {}

    public record Question(long id, AdminRequest request) implements Message {}

    public record Answer(long id, Action.AdminVerdict verdict, String words) implements Message {}

    /** May I ask something? Without effect. */
    public record TurnAsked(long id) implements Message {}

    /** Yes, for a moment: {@code turn} means something to who gave it alone. */
    public record Turn(long id, long turn) implements Message {}

    /** The question, and the turn that the leader's node gave for it a moment before. */
    public record InTurn(long turn, Question question) implements Message {}

    public static byte[] encode(Message message) {
        var out = new Wire.Out().b(FORMAT);
        switch (message) {
            case Question(long id, AdminRequest request) ->
                request(out.b(QUESTION).l(id), request);
            case InTurn(long turn, Question(long id, AdminRequest request)) ->
                request(out.b(IN_TURN).l(id).l(turn), request);
            case TurnAsked(long id) -> out.b(TURN_ASKED).l(id);
            case Turn(long id, long turn) -> out.b(TURN).l(id).l(turn);
            case Answer(long id, Action.AdminVerdict verdict, String words) ->
                out.b(ANSWER).l(id).e(verdict).s(words);
        }
        return out.done();
    }

    private static void request(Wire.Out out, AdminRequest request) {
        switch (request) {
            case AdminRequest.RemoveMember r -> out.b(1).node(r.node()).flag(r.anyway());
            case AdminRequest.ChangeMode r -> {
                Integer after = r.shrinkAfterMillis();
                out.b(2).eOrNull(r.mode()).eOrNull(r.policy()).i(after == null ? KEPT : after);
            }
            case AdminRequest.Maintain r -> out.b(3).node(r.node()).flag(r.maintenance());
            case AdminRequest.Switchover(SwitchoverRequest r) ->
                out.b(4)
                        .l(r.id())
                        .l(r.epoch())
                        .node(r.target())
                        .i(r.timeoutMillis())
                        .i(r.drainMillis())
                        .flag(r.leaving());
            case AdminRequest.Pause r -> out.b(6).l(r.untilMillis());
            case AdminRequest.Resync r -> out.b(5).node(r.node()).flag(r.anyway());
            case AdminRequest.Tune r ->
                out.b(18)
                        .i(r.electionLimitMillis())
                        .i(r.moveDelayMillis())
                        .i(r.acrossRegions())
                        .i(r.slowAfterMillis());
            case AdminRequest.FenceMember r ->
                out.b(12).node(r.node()).flag(r.fenced()).flag(r.anyway());
            case AdminRequest.RestartServer r -> out.b(13).node(r.node()).flag(r.anyway());
            case AdminRequest.ChangeMinorityReads r -> out.b(15).e(r.reads());
            case AdminRequest.SetUpstream r -> out.b(40).node(r.node()).node(r.upstream());
            case AdminRequest.SetPlacement r ->
                StateCodec.placement(out.b(41).node(r.node()), r.priority(), r.zone())
                        .flag(r.ownPriority())
                        .flag(r.ownZone());
            case AdminRequest.ForceFailover r ->
                out.b(14).node(r.target()).s(r.confirm()).flag(r.acceptsLoss());
        }
    }

    /** Throws {@link IllegalArgumentException} for bytes that no {@link #encode} of a known format wrote. */
    public static Message decode(byte[] bytes) {
        var in = new Wire.In(bytes);
        int format = in.b();
        if (format != FORMAT) {
            throw new IllegalArgumentException("a request of format %d is not known here".formatted(format));
        }
        int kind = in.b();
        long id = in.l();
        Message message = switch (kind) {
            case QUESTION -> new Question(id, request(in));
            case ANSWER -> new Answer(id, in.of(Action.AdminVerdict.values()), in.s());
            case TURN_ASKED -> new TurnAsked(id);
            case TURN -> new Turn(id, in.l());
            case IN_TURN -> new InTurn(in.l(), new Question(id, request(in)));
            default -> throw new IllegalArgumentException("%d is neither question nor answer".formatted(kind));
        };
        in.end();
        return message;
    }

    private static @Nullable Integer after(int millis) {
        return millis == KEPT ? null : millis;
    }

    private static AdminRequest request(Wire.In in) {
        int tag = in.b();
        return switch (tag) {
            case 1 -> new AdminRequest.RemoveMember(in.node(), in.flag());
            case 2 ->
                new AdminRequest.ChangeMode(
                        in.ofOrNull(Settings.Mode.values()), in.ofOrNull(Settings.Policy.values()), after(in.i()));
            case 3 -> new AdminRequest.Maintain(in.node(), in.flag());
            case 4 ->
                new AdminRequest.Switchover(
                        new SwitchoverRequest(in.l(), in.l(), in.nodeOrNull(), in.i(), in.i(), in.flag()));
            case 6 -> new AdminRequest.Pause(in.l());
            case 5 -> new AdminRequest.Resync(in.node(), in.flag());
            case 18 -> new AdminRequest.Tune(in.i(), in.i(), in.i(), in.i());
            case 12 -> new AdminRequest.FenceMember(in.node(), in.flag(), in.flag());
            case 13 -> new AdminRequest.RestartServer(in.node(), in.flag());
            case 15 -> new AdminRequest.ChangeMinorityReads(in.of(Settings.MinorityReads.values()));
            case 40 -> new AdminRequest.SetUpstream(in.node(), in.nodeOrNull());
            case 41 -> {
                NodeId node = in.node();
                Placement p = StateCodec.placement(in);
                yield new AdminRequest.SetPlacement(node, p.priority(), p.zone(), in.flag(), in.flag());
            }
            case 14 -> new AdminRequest.ForceFailover(in.nodeOrNull(), in.s(), in.flag());
            default -> throw new IllegalArgumentException("request %d is not known here".formatted(tag));
        };
    }
}
