package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.api.Administrator;
import io.quantadb.node.cluster.Action;
import io.quantadb.node.cluster.AdminRequest;
import io.quantadb.node.cluster.Event;
import io.quantadb.node.common.NodeId;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** n1's desk, whose core follows, and n2's, whose core leads; messages arrive at once. */
class AdminDeskTest {
    private static final NodeId N1 = new NodeId("n1");
    private static final NodeId N2 = new NodeId("n2");
    private static final AdminRequest REQUEST = new AdminRequest.RemoveMember(new NodeId("n3"), false);

    private final AdminDesk follower = new AdminDesk(System::nanoTime);
    private final AdminDesk leader = new AdminDesk(System::nanoTime);
    private final List<AdminRequest> decided = new ArrayList<>();

    private static Event.AdminAsked asked(Event event) {
        return (Event.AdminAsked) event;
    }

    private void tie(String whoLeads, Action.AdminVerdict verdict) {
        leader.attach(
                event -> {
                    decided.add(asked(event).request());
                    leader.answer(new Action.AdminAnswer(asked(event).requestId(), verdict, "words"));
                },
                (to, bytes) -> {
                    follower.onMessage(N2, bytes);
                    return true;
                });
        follower.attach(
                event -> follower.answer(
                        new Action.AdminAnswer(asked(event).requestId(), Action.AdminVerdict.NOT_LEADER, whoLeads)),
                (to, bytes) -> {
                    assertThat(to).isEqualTo(N2);
                    leader.onMessage(N1, bytes);
                    return true;
                });
    }

    private static Administrator.Outcome end(CompletableFuture<Administrator.Outcome> future) throws Exception {
        return future.get(30, TimeUnit.SECONDS);
    }

    @Test
    void bringsARequestToTheLeaderAndItsAnswerBack() throws Exception {
        // Given
        tie("n2", Action.AdminVerdict.REFUSED);

        // When
        Administrator.Outcome outcome = end(follower.ask(REQUEST, "admin"));

        // Then
        assertThat(decided).containsExactly(REQUEST);
        assertThat(outcome).isEqualTo(new Administrator.Outcome(Action.AdminVerdict.REFUSED, "words"));
    }

    @Test
    void asksAgainWhileAFailoverIsUnderWay() throws Exception {
        // Given
        AtomicInteger times = new AtomicInteger();
        leader.attach(
                event -> leader.answer(new Action.AdminAnswer(
                        asked(event).requestId(),
                        times.incrementAndGet() < 3 ? Action.AdminVerdict.NOT_NOW : Action.AdminVerdict.ACCEPTED,
                        "")),
                (to, bytes) -> false);

        // When
        Administrator.Outcome outcome = end(leader.ask(REQUEST, "admin"));

        // Then
        assertThat(times).hasValue(3);
        assertThat(outcome.verdict()).isEqualTo(Action.AdminVerdict.ACCEPTED);
    }

    @Test
    void refusesBeforeThereIsACluster() throws Exception {
        // When
        Administrator.Outcome outcome = end(follower.ask(REQUEST, "admin"));

        // Then
        assertThat(outcome.verdict()).isEqualTo(Action.AdminVerdict.REFUSED);
    }

    @Test
    void aMessageThatCannotBeReadChangesNothing() throws Exception {
        // Given
        tie("n2", Action.AdminVerdict.ACCEPTED);

        // When
        leader.onMessage(N1, new byte[] {9, 9, 9});
        Administrator.Outcome outcome = end(follower.ask(REQUEST, "admin"));

        // Then
        assertThat(decided).containsExactly(REQUEST);
        assertThat(outcome.verdict()).isEqualTo(Action.AdminVerdict.ACCEPTED);
    }
}
