package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import io.quantadb.node.consensus.RaftStatus;
import io.quantadb.node.raft.Membership;
import io.quantadb.node.raft.Role;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whose silence a node may complain of, and from when on. */
class HeardTest {
    private static final PeerId ME = new PeerId(new NodeId("node1"), 1);
    private static final PeerId OTHER = new PeerId(new NodeId("node2"), 1);
    private static final NodeId THIRD = new NodeId("node3");
    private static final long SECOND = 1_000_000_000L;

    @Test
    void aLeaderIsToHearEverybody() {
        assertThat(Heard.expected(THIRD, raft(Role.LEADER, ME))).isTrue();
    }

    @Test
    void aFollowerIsToHearTheLeaderAndNobodyElse() {
        assertThat(Heard.expected(OTHER.node(), raft(Role.FOLLOWER, OTHER))).isTrue();
        assertThat(Heard.expected(THIRD, raft(Role.FOLLOWER, OTHER))).isFalse();
    }

    @Test
    void silenceCountsAsLongAsNoLeaderIsKnown() {
        assertThat(Heard.expected(THIRD, raft(Role.FOLLOWER, null))).isTrue();
        assertThat(Heard.expected(THIRD, null)).isTrue();
    }

    @ParameterizedTest(name = "silent for {1} ms with a heartbeat of {0} ms: {2}")
    @CsvSource({
        "50, 999, true",
        "50, 1000, false",
        "333, 1000, false",
        "1000, 2999, true",
        "5000, 14999, true",
        "5000, 15000, false",
        "20000, 59999, true",
        "50, -1, false",
        "5000, -1, false"
    })
    void oneIsThereWithinASecondOrThreeHeartbeatsOfItsLastWord(int heartbeat, long silent, boolean there) {
        assertThat(new Heard(() -> heartbeat).lately(silent)).isEqualTo(there);
    }

    @Test
    void aLeaderThatSpeaksEveryFiveSecondsIsHeardAllTheTime() {
        // Given
        var heard = new Heard(() -> 5_000);
        heard.onHeard(OTHER.node(), SECOND);

        // When / Then
        assertThat(heard.leader(raft(Role.FOLLOWER, OTHER), 6 * SECOND)).isTrue();
        assertThat(heard.leader(raft(Role.FOLLOWER, OTHER), 16 * SECOND)).isFalse();
    }

    /** A node that restarts knows the cluster's heartbeat only once it has applied the state again. */
    @Test
    void theHeartbeatOfTheMomentCounts() {
        // Given
        var heartbeat = new AtomicInteger(50);
        var heard = new Heard(heartbeat::get);
        boolean before = heard.lately(4_000);

        // When
        heartbeat.set(5_000);

        // Then
        assertThat(before).isFalse();
        assertThat(heard.lately(4_000)).isTrue();
    }

    private static RaftStatus raft(Role role, @Nullable PeerId leader) {
        return new RaftStatus(
                ME, role, 4, leader, 0, 0, 0, Membership.EMPTY, List.of(), 0, false, false, 0, false, false);
    }
}
