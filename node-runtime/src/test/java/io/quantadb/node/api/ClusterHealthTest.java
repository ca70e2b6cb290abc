package io.quantadb.node.api;

import static io.quantadb.node.api.TestingViews.NODE1;
import static io.quantadb.node.api.TestingViews.NODE2;
import static io.quantadb.node.api.TestingViews.NODE3;
import static io.quantadb.node.api.TestingViews.ledBy;
import static io.quantadb.node.api.TestingViews.member;
import static io.quantadb.node.api.TestingViews.with;
import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.api.ClusterView.Health;
import io.quantadb.node.api.ClusterView.Member;
import io.quantadb.node.api.ClusterView.Role;
import io.quantadb.node.api.ClusterView.State;
import io.quantadb.node.cluster.MemberKind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** When all of a cluster is well, as one of its nodes sees it. */
class ClusterHealthTest {
    /** The others report to the leader, and are fed by the primary. */
    @Test
    void aFollowerLeavesAMemberOfWhichItHearsNothingToTheLeader() {
        // Given
        ClusterView replica = TestingViews.replica();

        // When / Then
        assertThat(replica.member(NODE1).orElseThrow().health()).isEqualTo(Health.UNKNOWN);
        assertThat(replica.complete()).isTrue();
    }

    @ParameterizedTest(name = "node1 {0} and {1}: {2}")
    @CsvSource({
        "UNKNOWN, UNKNOWN, true",
        "STREAMING, HEALTHY, true",
        "STREAMING, LAGGING, false",
        "DOWN, UNKNOWN, false",
        "DOWN, DESYNCED, false"
    })
    void aFollowerCountsWhatItKnowsOfAnotherStandby(State state, Health health, boolean all) {
        // Given
        Member other = member(NODE1, 0, Role.UNKNOWN, state, health, 0, -1, 9000);

        // When / Then
        assertThat(with(TestingViews.replica(), other).complete()).isEqualTo(all);
    }

    @ParameterizedTest(name = "itself {0} and {1}")
    @CsvSource({"STREAMING, LAGGING", "CONNECTING, UNKNOWN", "UNKNOWN, UNKNOWN"})
    void aFollowerNeverLeavesItselfOut(State state, Health health) {
        // Given
        Member itself = member(NODE2, 1, Role.REPLICA, state, health, 12345, -1, 0);

        // When
        ClusterView view = with(TestingViews.replica(), itself);

        // Then
        assertThat(view.clusterHealthy()).isTrue();
        assertThat(view.complete()).isFalse();
    }

    @Test
    void theLeaderLeavesNobodyOut() {
        // Given
        Member second = member(NODE2, 1, Role.REPLICA, State.STREAMING, Health.HEALTHY, 12345, 0, 31);
        Member well = member(NODE3, 2, Role.REPLICA, State.STREAMING, Health.HEALTHY, 12345, 0, 31);
        Member unseen = member(NODE3, 2, Role.UNKNOWN, State.UNKNOWN, Health.UNKNOWN, 0, -1, -1);
        ClusterView leader = with(TestingViews.primary(), second);

        // When / Then
        assertThat(with(leader, well).complete()).isTrue();
        assertThat(with(leader, unseen).complete()).isFalse();
    }

    /** It feeds those that hold data; who only votes speaks to the leader alone. */
    @Test
    void aPrimaryUnderAnotherLeaderLeavesOutNobodyButWitnesses() {
        // Given
        Member second = member(NODE2, 1, Role.REPLICA, State.STREAMING, Health.HEALTHY, 12345, 0, 31);
        Member unseen = member(NODE3, 2, Role.UNKNOWN, State.UNKNOWN, Health.UNKNOWN, 0, -1, -1);
        ClusterView primary = ledBy(with(TestingViews.primary(), second), NODE2);

        // When / Then
        assertThat(with(primary, unseen).complete()).isFalse();
        assertThat(with(primary, as(unseen, MemberKind.WITNESS, false)).complete())
                .isTrue();
    }

    /** That an operator fenced it stands in the state that all nodes have. */
    @Test
    void aFollowerKnowsThatAFencedMemberIsNotThere() {
        // Given
        ClusterView replica = TestingViews.replica();
        Member unseen = replica.member(NODE1).orElseThrow();

        // When / Then
        assertThat(with(replica, as(unseen, MemberKind.DATA, true)).complete()).isFalse();
    }

    private static Member as(Member m, MemberKind kind, boolean fenced) {
        return new Member(
                m.id(),
                kind,
                m.role(),
                m.state(),
                m.health(),
                m.voter(),
                m.acknowledges(),
                m.leaving(),
                m.maintenance(),
                m.addresses(),
                m.generation(),
                m.epoch(),
                m.timeline(),
                m.lastLsn(),
                m.lagBytes(),
                m.lagMs(),
                m.lastHeardMs(),
                m.priority(),
                m.zone(),
                m.stream(),
                m.note(),
                fenced,
                m.upstream(),
                m.wishedUpstream(),
                m.own());
    }
}
