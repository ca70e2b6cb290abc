package io.quantadb.node.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class CopyTurnsTest {
    private static final NodeId N2 = new NodeId("node2");
    private static final NodeId N3 = new NodeId("node3");
    private static final NodeId N4 = new NodeId("node4");

    private long nowNanos = 1;
    private final CopyTurns turns = new CopyTurns(() -> nowNanos);

    @Test
    void aVoterWaitsUntilTheCopyOfTheOtherIsOver() {
        // Given
        CopyTurns.Turn first = has(voter(N2));
        pass(34_000);

        // When
        CopyTurns.Turn early = voter(N3);
        String why = turns.inFront(N3, false);
        first.end();
        CopyTurns.Turn late = voter(N3);

        // Then
        assertThat(early).isNull();
        assertThat(why).isEqualTo("node2 is being copied, since 34 s");
        assertThat(late).isNotNull();
    }

    @Test
    void aVoterDoesNotWaitForAReadReplica() {
        has(replica(N4));

        assertThat(voter(N2)).isNotNull();
        assertThat(voter(N3)).isNull();
    }

    @Test
    void aReadReplicaBeginsWhenNoVoterIsCopiedOrWaits() {
        // Given
        CopyTurns.Turn copied = has(voter(N2));
        assertThat(replica(N4)).isNull();
        assertThat(voter(N3)).isNull();

        // When
        copied.end();
        CopyTurns.Turn tooEarly = replica(N4);
        String why = turns.inFront(N4, true);
        CopyTurns.Turn next = has(voter(N3));
        CopyTurns.Turn during = replica(N4);
        next.end();

        // Then
        assertThat(tooEarly).isNull();
        assertThat(why).isEqualTo("node3 is next");
        assertThat(during).isNull();
        assertThat(replica(N4)).isNotNull();
    }

    @Test
    void aReadReplicaWaitsForAnother() {
        has(replica(N4));

        assertThat(replica(N3)).isNull();
        assertThat(turns.inFront(N3, true)).isEqualTo("node4 is being copied, since 0 s");
    }

    @Test
    void theOneThatWaitsLongestIsNextAsLongAsItAsks() {
        // Given
        CopyTurns.Turn copied = has(voter(N2));
        assertThat(voter(N4)).isNull();
        pass(500);
        assertThat(voter(N3)).isNull();
        copied.end();

        // When
        CopyTurns.Turn before = voter(N3);
        pass(CopyTurns.FORGOTTEN_MS - 499);
        CopyTurns.Turn after = voter(N3);

        // Then node4, which came first, has been silent for too long
        assertThat(before).isNull();
        assertThat(after).isNotNull();
    }

    @Test
    void whoAsksAnewHasGivenItsOlderCopyUp() {
        // Given
        CopyTurns.Turn older = has(voter(N2));
        assertThat(voter(N3)).isNull();
        pass(10);

        // When
        CopyTurns.Turn newer = voter(N2);

        // Then it goes behind whoever waits, and its older turn ends nothing any more
        assertThat(newer).isNull();
        assertThat(older.lasts()).isFalse();
        CopyTurns.Turn other = has(voter(N3));
        older.end();
        assertThat(other.lasts()).isTrue();
    }

    @Test
    void tellsWhoIsCopiedAndWhoWaitsForWhom() {
        // Given
        CopyTurns.Turn copied = has(voter(N2));
        assertThat(voter(N3)).isNull();
        pass(2_000);

        // When
        List<RelaySnapshot.Copy> before = turns.view();
        copied.end();
        List<RelaySnapshot.Copy> between = turns.view();
        pass(CopyTurns.FORGOTTEN_MS);
        List<RelaySnapshot.Copy> silent = turns.view();

        // Then
        assertThat(before)
                .containsExactly(
                        new RelaySnapshot.Copy(N2, true, "is being copied, since 2 s"),
                        new RelaySnapshot.Copy(N3, false, "waits for its turn: node2 is being copied, since 2 s"));
        assertThat(between).containsExactly(new RelaySnapshot.Copy(N3, false, "waits for its turn"));
        assertThat(silent).isEmpty();
    }

    private CopyTurns.@Nullable Turn voter(NodeId node) {
        return turns.ask(new MemberRef(node, 2), false);
    }

    private CopyTurns.@Nullable Turn replica(NodeId node) {
        return turns.ask(new MemberRef(node, 2), true);
    }

    private static CopyTurns.Turn has(CopyTurns.@Nullable Turn turn) {
        assertThat(turn).isNotNull();
        return java.util.Objects.requireNonNull(turn);
    }

    private void pass(long millis) {
        nowNanos += TimeUnit.MILLISECONDS.toNanos(millis);
    }
}
