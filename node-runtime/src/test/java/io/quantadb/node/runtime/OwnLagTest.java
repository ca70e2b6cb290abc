package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.api.ClusterView;
import io.quantadb.node.common.Lsn;
import org.junit.jupiter.api.Test;

/** How far behind the primary a standby knows itself to be. */
class OwnLagTest {
    private static final long SECOND = 1_000_000_000L;
    private static final long MB = 1 << 20;

    private Lsn said = Lsn.NONE;
    private final OwnLag lag = new OwnLag(() -> said);

    private Behind look(long epoch, long delivered, long flushed, long second) {
        return lag.measure(epoch, new Lsn(delivered), new Lsn(flushed), second * SECOND);
    }

    @Test
    void measuresAgainstTheEndThatThePrimaryTold() {
        // Given
        said = new Lsn(100 * MB);

        // When
        Behind atFirst = look(1, 20 * MB, 10 * MB, 1);
        Behind later = look(1, 60 * MB, 50 * MB, 4);
        Behind atLast = look(1, 100 * MB, 100 * MB, 5);

        // Then
        assertThat(atFirst).isEqualTo(new Behind(90 * MB, 0));
        assertThat(atFirst.health(16 * MB, 300_000)).isEqualTo(ClusterView.Health.LAGGING);
        assertThat(later).isEqualTo(new Behind(50 * MB, 3_000));
        assertThat(atLast).isEqualTo(Behind.NOTHING);
        assertThat(atLast.health(16 * MB, 300_000)).isEqualTo(ClusterView.Health.HEALTHY);
    }

    @Test
    void whatWasDeliveredSinceIsTheEndWhereThePrimaryToldAnOlderOrNone() {
        // When
        Behind untold = look(1, 20 * MB, 19 * MB, 1);
        said = new Lsn(15 * MB);
        Behind older = look(1, 30 * MB, 19 * MB, 2);

        // Then
        assertThat(untold.bytes()).isEqualTo(MB);
        assertThat(older).isEqualTo(new Behind(11 * MB, 1_000));
    }

    /** The primary's word may be lost for a while, and its WAL does not become less for that. */
    @Test
    void anEndThatWasToldHoldsForAsLongAsTheEpoch() {
        // Given
        said = new Lsn(100 * MB);
        look(1, 20 * MB, 10 * MB, 1);

        // When
        said = Lsn.NONE;
        Behind silent = look(1, 20 * MB, 10 * MB, 2);
        Behind inTheNext = look(2, 20 * MB, 20 * MB, 3);

        // Then
        assertThat(silent.bytes()).isEqualTo(90 * MB);
        assertThat(inTheNext).isEqualTo(Behind.NOTHING);
    }

    @Test
    void knowsNothingBeforeItsReceiverHasSpoken() {
        // Given
        said = new Lsn(100 * MB);

        // When / Then
        assertThat(look(1, 0, 0, 1)).isEqualTo(Behind.UNKNOWN);
    }
}
