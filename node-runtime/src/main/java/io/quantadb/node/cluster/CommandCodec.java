package io.quantadb.node.cluster;

import io.quantadb.node.common.PeerId;
import java.util.Set;
import java.util.TreeSet;

/**
 * Commands as bytes, for Raft entries: a format byte, which is the {@link ClusterVersion}, a tag, then the fields in their
 * order. Tags are never reused (15 was a version without the members that read it).
 */
public final class CommandCodec {
    private CommandCodec() {}

    /** @param clusterVersion what the cluster is at when it is proposed */
    public static byte[] encode(Command command, int clusterVersion) {
        var out = new Wire.Out().b(ClusterVersion.format(clusterVersion));
        switch (command) {
            case Command.Noop c -> out.b(0);
            case Command.Bootstrap c -> {
                out.b(1).s(c.clusterId()).l(c.systemIdentifier()).i(c.clusterVersion());
                StateCodec.member(out, c.first());
                out.i(c.timeline());
                StateCodec.settings(out, c.settings());
            }
            case Command.AddMember c -> StateCodec.member(out.b(2), c.member());
            case Command.UpdateMember c ->
                out.b(3).peer(c.peer()).addresses(c.addresses()).s(c.zone()).i(c.priority());
            case Command.SetMaintenance c -> out.b(4).peer(c.peer()).flag(c.maintenance());
            case Command.SetMemberState c -> out.b(5).peer(c.peer()).e(c.state());
            case Command.SetGeneration c -> out.b(6).peer(c.peer()).l(c.generation());
            case Command.RemoveMember c -> out.b(7).peer(c.peer());
            case Command.Joint c -> on(out.b(8), c.on()).rule(c.rule());
            case Command.Replace c -> on(out.b(9), c.on()).rule(c.rule());
            case Command.Withdraw c -> on(out.b(10), c.on());
            case Command.Finish c -> on(out.b(11), c.on());
            case Command.Promote c -> {
                on(out.b(12), c.on()).l(c.epoch()).node(c.node()).l(c.generation());
                out.e(c.kind()).i(c.timeline()).position(c.from()).rule(c.nextRule());
                out.l(c.whenMillis()).s(c.reason());
            }
            case Command.Release c ->
                on(out.b(13), c.on()).i(c.parentTimeline()).lsn(c.fork());
            case Command.ChangeSettings c -> StateCodec.settings(out.b(14), c.settings());
            case Command.SetClusterVersion c -> {
                out.b(50).i(c.clusterVersion()).count(c.members().size());
                new TreeSet<>(c.members()).forEach(out::peer);
            }
            case Command.Retime(Timers t) ->
                out.b(32)
                        .i(t.heartbeatMillis())
                        .i(t.electionTimeoutMinMillis())
                        .i(t.electionTimeoutMaxMillis())
                        .i(t.leaseMillis());
            case Command.SetFence c -> out.b(24).peer(c.peer()).e(c.fence());
            case Command.SetPlacement(PeerId peer, Placement p) ->
                StateCodec.placement(out.b(41).peer(peer), p.priority(), p.zone());
            case Command.SetUpstream c -> out.b(40).peer(c.peer()).node(c.upstream());
        }
        return out.done();
    }

    /** Throws {@link IllegalArgumentException} for bytes that no {@link #encode} of a known format wrote. */
    public static Command decode(byte[] bytes) {
        var in = new Wire.In(bytes);
        int format = in.b();
        ClusterVersion.check("a command", format);
        int tag = in.b();
        Command command = switch (tag) {
            case 0 -> new Command.Noop();
            case 1 ->
                new Command.Bootstrap(
                        in.s(), in.l(), in.i(), StateCodec.member(in, format), in.i(), StateCodec.settings(in, format));
            case 2 -> new Command.AddMember(StateCodec.member(in, format));
            case 3 -> new Command.UpdateMember(in.peer(), in.addresses(), in.s(), in.i());
            case 4 -> new Command.SetMaintenance(in.peer(), in.flag());
            case 5 -> new Command.SetMemberState(in.peer(), in.of(MemberState.values()));
            case 6 -> new Command.SetGeneration(in.peer(), in.l());
            case 7 -> new Command.RemoveMember(in.peer());
            case 8 -> new Command.Joint(on(in), in.rule());
            case 9 -> new Command.Replace(on(in), in.rule());
            case 10 -> new Command.Withdraw(on(in));
            case 11 -> new Command.Finish(on(in));
            case 12 ->
                new Command.Promote(
                        on(in),
                        in.l(),
                        in.node(),
                        in.l(),
                        in.of(Command.PromoteKind.values()),
                        in.i(),
                        in.somePosition(),
                        in.rule(),
                        in.l(),
                        in.s());
            case 13 -> new Command.Release(on(in), in.i(), in.lsn());
            case 14 -> new Command.ChangeSettings(StateCodec.settings(in, format));
            case 50 -> new Command.SetClusterVersion(in.i(), peers(in));
            case 32 -> new Command.Retime(new Timers(in.i(), in.i(), in.i(), in.i()));
            case 24 -> new Command.SetFence(in.peer(), in.of(Fence.values()));
            case 40 -> new Command.SetUpstream(in.peer(), in.nodeOrNull());
            case 41 -> new Command.SetPlacement(in.peer(), StateCodec.placement(in));
            default -> throw new IllegalArgumentException("command %d is not known here".formatted(tag));
        };
        in.end();
        return command;
    }

    private static Set<PeerId> peers(Wire.In in) {
        Set<PeerId> peers = new TreeSet<>();
        for (int n = in.count(ClusterState.MAX_MEMBERS); n > 0; n--) {
            peers.add(in.peer());
        }
        return peers;
    }

    private static Wire.Out on(Wire.Out out, Command.Condition c) {
        return out.l(c.epoch()).l(c.version());
    }

    private static Command.Condition on(Wire.In in) {
        return new Command.Condition(in.l(), in.l());
    }
}
