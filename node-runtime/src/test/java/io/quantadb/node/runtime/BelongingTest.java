package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.cluster.Addresses;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import io.quantadb.node.consensus.RaftStatus;
import io.quantadb.node.raft.Membership;
import io.quantadb.node.raft.Role;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** When a node takes it for certain that it is a member no more. */
class BelongingTest {
    private static final PeerId SELF = new PeerId(new NodeId("c"), 33);
    private static final PeerId LEADER = new PeerId(new NodeId("a"), 11);
    private static final HostPort A = new HostPort("127.0.0.1", 6432);
    private static final HostPort B = new HostPort("127.0.0.1", 6433);
    private static final long SECOND = 1_000_000_000L;
    private static final long TERM = 6;

    private long now = 100 * SECOND;
    private final Heard heard = new Heard(() -> 50);
    private final Map<HostPort, Greeting> answers = new HashMap<>();
    private final List<HostPort> asked = new ArrayList<>();
    private final Belonging belonging =
            new Belonging("shop", SELF, () -> status(LEADER), heard, () -> now, () -> List.of(A, B), address -> {
                asked.add(address);
                return answers.get(address);
            });

    private static RaftStatus status(PeerId leader) {
        return new RaftStatus(
                SELF,
                Role.FOLLOWER,
                TERM,
                leader,
                1,
                1,
                1,
                Membership.EMPTY,
                List.of(),
                0,
                false,
                false,
                0,
                false,
                false);
    }

    private static Greeting greeting(String cluster, String roll) {
        return new Greeting(
                new NodeId("a"),
                11,
                cluster,
                7,
                "a",
                Map.<NodeId, Addresses>of(),
                roll.isEmpty() ? Map.of() : Map.of(Roll.KEY, roll));
    }

    private boolean afterSilence() throws InterruptedException {
        now += Belonging.SILENCE.toNanos();
        return belonging.look();
    }

    @Test
    void asksNobodyWhileItsLeaderIsHeard() throws InterruptedException {
        for (int i = 0; i < 20; i++) {
            // Given
            now += SECOND;
            heard.onHeard(LEADER.node(), now);

            // When / Then
            assertThat(belonging.look()).isFalse();
        }
        assertThat(asked).isEmpty();
    }

    @Test
    void isCertainWhenALeaderOfItsTermLeavesItOut() throws InterruptedException {
        // Given
        answers.put(B, greeting("shop", "6 a=b b=m"));

        // When / Then
        assertThat(belonging.look()).isFalse();
        assertThat(asked).isEmpty();
        assertThat(afterSilence()).isTrue();
        assertThat(asked).containsExactly(A, B);
    }

    @Test
    void isCertainWhenAnotherLifeOfItsIdIsTheMember() throws InterruptedException {
        // Given
        answers.put(A, greeting("shop", "7 a=b c=zz"));

        // When / Then
        assertThat(afterSilence()).isTrue();
    }

    @Test
    void takesNoWordOfOneThatMayKnowLessOrIsOfAnotherCluster() throws InterruptedException {
        for (Greeting answer : List.of(
                greeting("shop", "5 a=b"),
                greeting("other", "9 a=b"),
                greeting("shop", ""),
                greeting("shop", "9 a=b c=" + Long.toString(33, 36)),
                greeting("shop", "nonsense"))) {
            // Given
            answers.put(A, answer);

            // When / Then
            assertThat(afterSilence()).as("%s", answer).isFalse();
        }
        assertThat(asked).hasSize(10);
    }

    @Test
    void asksOnlyOnceInAWhile() throws InterruptedException {
        // Given
        assertThat(afterSilence()).isFalse();
        int before = asked.size();

        // When
        now += SECOND;

        // Then
        assertThat(belonging.look()).isFalse();
        assertThat(asked).hasSize(before);
    }
}
