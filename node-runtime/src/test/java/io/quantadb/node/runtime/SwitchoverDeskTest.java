package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.api.Administrator;
import io.quantadb.node.api.Switchovers;
import io.quantadb.node.cluster.Action.AdminVerdict;
import io.quantadb.node.cluster.Addresses;
import io.quantadb.node.cluster.AdminRequest;
import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.Command;
import io.quantadb.node.cluster.Member;
import io.quantadb.node.cluster.MemberKind;
import io.quantadb.node.cluster.MemberState;
import io.quantadb.node.cluster.ProtocolRules;
import io.quantadb.node.cluster.Settings;
import io.quantadb.node.cluster.SwitchoverReport;
import io.quantadb.node.cluster.SwitchoverReport.Phase;
import io.quantadb.node.cluster.SwitchoverRequest;
import io.quantadb.node.cluster.Transitions;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class SwitchoverDeskTest {
    private static final NodeId NODE1 = new NodeId("node1");
    private static final NodeId NODE2 = new NodeId("node2");
    private static final Switchovers.Wanted BEST =
            new Switchovers.Wanted(null, Duration.ofSeconds(30), Duration.ofMillis(250), null);

    private final List<SwitchoverRequest> asked = new ArrayList<>();
    private Administrator.Outcome outcome = new Administrator.Outcome(AdminVerdict.ACCEPTED, "node2");
    private final SwitchoverDesk desk = new SwitchoverDesk(new SplittableRandom(1), (request, caller) -> {
        asked.add(((AdminRequest.Switchover) request).wanted());
        return CompletableFuture.completedFuture(outcome);
    });

    @Test
    void asksForTheEpochThatItKnowsUnlessAnotherIsNamed() {
        // Given
        desk.attach(SwitchoverDeskTest::state);

        // When
        desk.begin(BEST, "admin").join();
        desk.begin(new Switchovers.Wanted(NODE2, Duration.ofSeconds(1), Duration.ZERO, 9L), "admin")
                .join();

        // Then
        assertThat(asked).extracting(SwitchoverRequest::epoch).containsExactly(1L, 9L);
        assertThat(asked).extracting(SwitchoverRequest::id).doesNotHaveDuplicates();
        assertThat(asked.getLast()).satisfies(r -> {
            assertThat(r.target()).isEqualTo(NODE2);
            assertThat(r.timeoutMillis()).isEqualTo(1_000);
            assertThat(r.drainMillis()).isZero();
            assertThat(r.leaving()).isFalse();
        });
    }

    @Test
    void tellsWhoTheHeirIsBeforeTheLeadersOwnWordsHaveCome() {
        // Given
        desk.attach(SwitchoverDeskTest::state);

        // When
        Switchovers.Begun begun = desk.begin(BEST, "admin").join();

        // Then
        long id = asked.getFirst().id();
        assertThat(begun.report()).isEqualTo(new SwitchoverReport(id, Phase.PREPARING, NODE1, NODE2, 1, "", -1, 0));
        assertThat(desk.byId(id)).isEmpty();
    }

    @Test
    void passesARefusalOnWithoutAReport() {
        // Given
        desk.attach(SwitchoverDeskTest::state);
        outcome = new Administrator.Outcome(AdminVerdict.REFUSED, "node2 is in maintenance");

        // When
        Switchovers.Begun begun = desk.begin(BEST, "admin").join();

        // Then
        assertThat(begun).isEqualTo(new Switchovers.Begun(outcome, null));
        assertThat(desk.last()).isNull();
    }

    @Test
    void showsTheNewestAndRemembersTheLastFewOnly() {
        // When
        for (long id = 1; id <= 20; id++) {
            desk.show(report(id, Phase.HOLDING));
            desk.show(report(id, Phase.DONE));
        }

        // Then
        assertThat(desk.last()).isEqualTo(report(20, Phase.DONE));
        assertThat(desk.byId(13)).contains(report(13, Phase.DONE));
        assertThat(desk.byId(12)).isEmpty();
    }

    private static ClusterState state() {
        HostPort at = new HostPort("127.0.0.1", 1);
        var node1 = new Member(
                new PeerId(NODE1, 1),
                1,
                MemberKind.DATA,
                MemberState.VOTER,
                new Addresses(at, at, at, at, at),
                "",
                100,
                false);
        return new Transitions(new ProtocolRules())
                .apply(ClusterState.EMPTY, new Command.Bootstrap("c", 1, 1, node1, 1, Settings.DEFAULT))
                .state();
    }

    private static SwitchoverReport report(long id, Phase phase) {
        return new SwitchoverReport(id, phase, NODE1, NODE2, 7, "", -1, 0);
    }
}
