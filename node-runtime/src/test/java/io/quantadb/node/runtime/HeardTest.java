package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import io.quantadb.node.consensus.RaftStatus;
import io.quantadb.node.raft.Membership;
import io.quantadb.node.raft.Role;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Whose silence a node may complain of. */
class HeardTest {
    private static final PeerId ME = new PeerId(new NodeId("node1"), 1);
    private static final PeerId OTHER = new PeerId(new NodeId("node2"), 1);
    private static final NodeId THIRD = new NodeId("node3");

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

    private static RaftStatus raft(Role role, @Nullable PeerId leader) {
        return new RaftStatus(
                ME, role, 4, leader, 0, 0, 0, Membership.EMPTY, List.of(), 0, false, false, 0, false, false);
    }
}
