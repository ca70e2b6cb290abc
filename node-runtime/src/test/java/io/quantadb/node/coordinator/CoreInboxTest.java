package io.quantadb.node.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.cluster.Event;
import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.consensus.RaftNode.Handed;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.Test;

class CoreInboxTest {
    private final Deque<Runnable> waiting = new ArrayDeque<>();
    private final List<Event> handled = new ArrayList<>();
    private final List<Throwable> faults = new ArrayList<>();
    private Handed answer = Handed.TAKEN;

    private final CoreInbox inbox = new CoreInbox(this::hand, handled::add, faults::add);

    @Test
    void anEventOfThisNodeThatFindsNoRoomEndsTheNodeOnceAndNothingIsTakenAfterIt() {
        // Given
        answer = Handed.FULL;

        // When
        inbox.post(new Event.ServerExited("killed"));
        inbox.post(new Event.PromisePersisted(4));
        answer = Handed.TAKEN;
        inbox.post(new Event.PromisePersisted(5));

        // Then
        assertThat(faults).singleElement().isInstanceOf(LocalFault.class);
        assertThat(faults.getFirst()).hasMessageContaining("ServerExited").hasMessageContaining("full");
        assertThat(inbox.broken()).isTrue();
        assertThat(waiting).isEmpty();
    }

    @Test
    void aMessageOfAnotherNodeThatFindsNoRoomIsDroppedAsTheNetworkWould() {
        // Given
        answer = Handed.FULL;

        // When
        inbox.post(new Event.Heard(new NodeId("n2")));
        inbox.post(new Event.Unreachable(new NodeId("n2")));
        answer = Handed.TAKEN;
        inbox.post(new Event.PromisePersisted(5));
        waiting.forEach(Runnable::run);

        // Then
        assertThat(faults).isEmpty();
        assertThat(handled).containsExactly(new Event.PromisePersisted(5));
    }

    @Test
    void aCoreThatIsNotRunningIsNoFault() {
        // Given
        answer = Handed.NOT_RUNNING;

        // When
        inbox.post(new Event.ServerExited("stopped"));

        // Then
        assertThat(faults).isEmpty();
        assertThat(inbox.broken()).isFalse();
    }

    private Handed hand(Runnable task, boolean mayBeLost) {
        if (answer == Handed.TAKEN) {
            waiting.add(task);
        }
        return answer;
    }
}
