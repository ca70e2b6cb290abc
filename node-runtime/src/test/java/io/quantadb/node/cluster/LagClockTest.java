package io.quantadb.node.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.Lsn;
import org.junit.jupiter.api.Test;

class LagClockTest {
    private static final long MS = 1_000_000L;

    private final LagClock lag = new LagClock();

    @Test
    void isNothingWhileAllIsFlushedHoweverLongAgoThatWas() {
        // When
        lag.written(new Lsn(100), 0);
        lag.flushed(new Lsn(100));

        // Then
        assertThat(lag.nanos(60_000 * MS)).isZero();
    }

    @Test
    void growsWithTheOldestThatIsNotFlushed() {
        // Given
        lag.written(new Lsn(100), 0);
        lag.written(new Lsn(200), 1_000 * MS);
        lag.written(new Lsn(300), 2_000 * MS);

        // When
        lag.flushed(new Lsn(150));

        // Then
        assertThat(lag.nanos(5_000 * MS)).isEqualTo(4_000 * MS);
        lag.flushed(new Lsn(200));
        assertThat(lag.nanos(5_000 * MS)).isEqualTo(3_000 * MS);
    }

    @Test
    void forgetsNothingThatWasWrittenInABurst() {
        // Given
        lag.written(new Lsn(100), 0);
        lag.written(new Lsn(200), 5 * MS);

        // When
        lag.flushed(new Lsn(100));

        // Then
        assertThat(lag.nanos(1_000 * MS)).isEqualTo(1_000 * MS);
        lag.flushed(new Lsn(200));
        assertThat(lag.nanos(1_000 * MS)).isZero();
    }

    @Test
    void staysAboutRightForHoursWithoutGrowing() {
        // Given a member that is ten minutes behind for two hours
        long written = 0;
        for (long ms = 0; ms < 7_200_000; ms += 50) {
            lag.written(new Lsn(++written), ms * MS);
            lag.flushed(new Lsn(Math.max(1, written - 12_000)));
        }

        // When
        long told = lag.nanos(7_200_000 * MS);

        // Then
        assertThat(told).isBetween(590_000 * MS, 640_000 * MS);
    }
}
