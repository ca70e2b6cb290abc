package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.api.Administrator;
import io.quantadb.node.cluster.Action;
import io.quantadb.node.cluster.AdminCodec;
import io.quantadb.node.cluster.AdminRequest;
import io.quantadb.node.cluster.Event;
import io.quantadb.node.cluster.Settings;
import io.quantadb.node.common.NodeId;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** n1's desk, whose core follows, and n2's, whose core leads; messages arrive at once. */
class AdminDeskTest {
    private static final NodeId N1 = new NodeId("n1");
    private static final NodeId N2 = new NodeId("n2");
    private static final AdminRequest REQUEST = new AdminRequest.RemoveMember(new NodeId("n3"), false);

    private final AdminDesk follower = new AdminDesk(System::nanoTime);
    private final AdminDesk leader = new AdminDesk(System::nanoTime);
    private final List<AdminRequest> decided = new ArrayList<>();
    private final AtomicLong clock = new AtomicLong();

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
    void aRequestThatIsHeldUpOnItsWayIsNotCarriedOutAfterALaterOne() throws Exception {
        // Given: the first question of the follower arrives when the next ones have long been answered
        var slow = new AdminDesk(clock::get);
        List<byte[]> heldUp = new ArrayList<>();
        slow.attach(
                event -> {
                    decided.add(asked(event).request());
                    slow.answer(
                            new Action.AdminAnswer(asked(event).requestId(), Action.AdminVerdict.ACCEPTED, "words"));
                },
                (to, bytes) -> {
                    follower.onMessage(N2, bytes);
                    return true;
                });
        follower.attach(
                event -> follower.answer(
                        new Action.AdminAnswer(asked(event).requestId(), Action.AdminVerdict.NOT_LEADER, "n2")),
                (to, bytes) -> {
                    boolean question = AdminCodec.decode(bytes) instanceof AdminCodec.InTurn;
                    if (question && heldUp.isEmpty()) {
                        heldUp.add(bytes);
                        clock.addAndGet(AdminDesk.TURN.toNanos());
                    } else {
                        slow.onMessage(N1, bytes);
                    }
                    return true;
                });
        var off = new AdminRequest.Pause(0);
        var on = new AdminRequest.Pause(Settings.UNTIL_ENDED);
        end(follower.ask(off, "admin"));
        end(follower.ask(on, "admin"));

        // When
        clock.incrementAndGet();
        slow.onMessage(N1, heldUp.getFirst());

        // Then
        assertThat(decided).containsExactly(off, on);
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
