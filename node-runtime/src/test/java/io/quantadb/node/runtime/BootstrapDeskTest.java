package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.api.Founder.Outcome;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.coordinator.NodeFacts;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class BootstrapDeskTest {
    private static final NodeFacts MEMBER =
            new NodeFacts(new NodeId("node1"), 1, "u-1.00000000000000ff", 42, 1, 0, "", null);

    private final BootstrapDesk desk = new BootstrapDesk(true);

    @Test
    void handsAPermissionToTheThreadThatSettlesAndItsOutcomeBack() throws Exception {
        // Given
        var answer = desk.found("u-1", "admin");
        assertThat(answer).isNotDone();

        // When
        BootstrapDesk.Attempt attempt = desk.next(Duration.ofSeconds(5));
        assertThat(attempt).isNotNull();
        attempt.outcome().complete(new Outcome.Refused("a peer is silent", "start it"));

        // Then
        assertThat(attempt.uid()).isEqualTo("u-1");
        assertThat(answer).isCompletedWithValue(new Outcome.Refused("a peer is silent", "start it"));
        assertThat(desk.next(Duration.ofMillis(1))).isNull();
    }

    @Test
    void looksAtOnePermissionAtATime() {
        // Given
        var _ = desk.found("u-1", "admin");

        // When
        Outcome second = desk.found("u-1", "admin").join();

        // Then
        assertThat(second).isInstanceOf(Outcome.NotYet.class);
    }

    @Test
    void answersTheSameUidAgainWithTheIdsAndAnotherWithARefusal() {
        // Given
        var early = desk.found("u-1", "admin");

        // When
        desk.settled(MEMBER);

        // Then
        Outcome known = new Outcome.Exists("u-1.00000000000000ff", 42, false);
        assertThat(early.join()).isEqualTo(known);
        assertThat(desk.found("u-1", "admin").join()).isEqualTo(known);
        assertThat(desk.found("u-2", "admin").join())
                .isInstanceOfSatisfying(
                        Outcome.Refused.class,
                        refused -> assertThat(refused.why()).contains("u-1.00000000000000ff"));
        // A uid that is only the beginning of the other is another one.
        assertThat(desk.found("u", "admin").join()).isInstanceOf(Outcome.Refused.class);
    }

    @Test
    void refusesAPermissionThatNothingWaitsFor() {
        assertThat(new BootstrapDesk(false).found("u-1", "admin").join()).isInstanceOf(Outcome.Refused.class);
    }
}
