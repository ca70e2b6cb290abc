package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** How far behind the primary's WAL a member is that a standby feeds. */
class FedMembersTest {
    private static final NodeId N4 = new NodeId("n4");
    private static final long SECOND = 1_000_000_000L;

    private final FedMembers fed = new FedMembers();

    private long look(long epoch, long upTo, long end, long at) {
        fed.begin(epoch);
        long lag = fed.flushed(N4, new Lsn(upTo), new Lsn(end), at);
        fed.end();
        return lag;
    }

    @Test
    void aMemberLagsByTheAgeOfTheOldestWalThatItLacks() {
        // When
        long all = look(1, 100, 100, 0);
        long behind = look(1, 100, 200, 5 * SECOND);
        long longer = look(1, 150, 300, 7 * SECOND);
        long caughtUp = look(1, 300, 300, 8 * SECOND);

        // Then
        assertThat(all).isZero();
        assertThat(behind).isZero();
        assertThat(longer).isEqualTo(2_000);
        assertThat(caughtUp).isZero();
    }

    @Test
    void whoIsNotSeenAnyMoreHasNoPositionAndAnotherEpochBeginsAnew() {
        // Given
        look(1, 100, 100, 0);
        look(1, 100, 200, SECOND);
        assertThat(fed.positions()).isEqualTo(Map.of(N4, new Lsn(100)));

        // When
        long anew = look(2, 100, 200, 9 * SECOND);
        Map<NodeId, Lsn> seen = fed.positions();
        fed.begin(2);
        fed.end();

        // Then
        assertThat(anew).isZero();
        assertThat(seen).containsKey(N4);
        assertThat(fed.positions()).isEmpty();
    }
}
