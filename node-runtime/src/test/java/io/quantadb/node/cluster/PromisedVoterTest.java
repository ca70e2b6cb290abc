package io.quantadb.node.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * n3 has promised epoch 3, the rule has changed meanwhile and does not name it, and epoch 1 goes on: it would never follow
 * epoch 1 again, and never come back into the rule.
 */
class PromisedVoterTest {
    private static final HostPort AT = new HostPort("localhost", 1);
    private static final NodeId N1 = new NodeId("n1");
    private static final Lsn END = new Lsn(1_000);

    private long now = 1_000_000_000L;

    @Test
    void aDataVoterThatHasPromisedALaterEpochGetsOneThatItCanFollow() {
        // When
        List<Command.Promote> promotes = promotesWhen(MemberKind.DATA);

        // Then
        assertThat(promotes).isNotEmpty().allSatisfy(p -> {
            assertThat(p.kind()).isEqualTo(Command.PromoteKind.SAME_PRIMARY);
            assertThat(p.node()).isEqualTo(N1);
            assertThat(p.epoch()).isEqualTo(3);
            assertThat(p.timeline()).isEqualTo(1);
        });
    }

    @Test
    void whoeverIsNeverInARuleIsNotWaitedFor() {
        // When
        List<Command.Promote> promotes = promotesWhen(MemberKind.READ_REPLICA);

        // Then
        assertThat(promotes).isEmpty();
    }

    /** What n1, leader and primary, proposes within 200 ms of hearing of the promise. */
    private List<Command.Promote> promotesWhen(MemberKind third) {
        var core = new ClusterCore(
                new ClusterCore.Start(peer("n1"), 1, 0, ServerState.DOWN, new Position(1, END), 1), now);
        on(core, new Event.StateApplied(state(third), 10));
        on(core, new Event.RaftChanged(true, 2, N1, true, false));
        on(core, new Event.LeaderLease(now + 10_000_000_000L));
        on(core, new Event.ServerChanged(ServerState.PRIMARY, 1));
        on(core, new Event.ServerPrimaryReady(1, 0, Lsn.NONE, END));
        return IntStream.range(0, 20)
                .boxed()
                .flatMap(i -> Stream.of(report("n2", 0, 1), report("n3", 3, 0), new Event.Tick(0)))
                .flatMap(e -> on(core, e).stream())
                .filter(Action.Propose.class::isInstance)
                .map(a -> ((Action.Propose) a).command())
                .filter(Command.Promote.class::isInstance)
                .map(Command.Promote.class::cast)
                .toList();
    }

    private List<Action> on(ClusterCore core, Event event) {
        now += 3_000_000;
        return core.on(now, event);
    }

    private static PeerId peer(String node) {
        return new PeerId(new NodeId(node), 7);
    }

    private static Event report(String node, long promise, long streamingEpoch) {
        var status = new LocalStatus(
                1, promise, 10, 1, 1, ServerState.STANDBY, 1, false, null, END, streamingEpoch, END, true, "");
        return new Event.Received(new NodeId(node), new CoordMessage.Report(2, 7, status));
    }

    private static ClusterState state(MemberKind third) {
        ClusterState formed = new Transitions(new ProtocolRules())
                .apply(
                        ClusterState.EMPTY,
                        new Command.Bootstrap("c", 42, 1, member("n1", MemberKind.DATA), 1, Settings.DEFAULT))
                .state();
        var rule = new TreeSet<>(List.of(new MemberRef(new NodeId("n2"), 1)));
        return new Draft(formed)
                .member(member("n2", MemberKind.DATA))
                .member(member("n3", third))
                .rule(new Rule(rule, 1))
                .done();
    }

    private static Member member(String node, MemberKind kind) {
        return new Member(peer(node), 1, kind, MemberState.VOTER, new Addresses(AT, AT, AT, AT, AT), "", 100, false);
    }
}
