package io.quantadb.node.wal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quantadb.node.common.Lsn;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TimelineHistoryTest {
    private static final String TEXT = "1\t0/3000110\tno recovery target specified\n3\t0/5000000\tafter LSN 0/5\n";

    @Test
    void tellsWhichTimelineWroteAPosition() {
        // Given
        TimelineHistory history = TimelineHistory.parse(5, TEXT);

        // When
        int before = history.timelineOf(Lsn.parse("0/300010F"));
        int at = history.timelineOf(Lsn.parse("0/3000110"));
        int after = history.timelineOf(Lsn.parse("0/5000000"));

        // Then
        assertThat(new int[] {before, at, after}).containsExactly(1, 3, 5);
        assertThat(history.contains(3, Lsn.parse("0/4FFFFFF"))).isTrue();
        assertThat(history.contains(1, Lsn.parse("0/4FFFFFF"))).isFalse();
        assertThat(history.descendsFrom(2)).isFalse();
        assertThat(history.descendsFrom(1)).isTrue();
        assertThat(history.switchPointOf(3)).isEqualTo(Lsn.parse("0/5000000"));
        assertThat(history.switchPointOf(5)).isEqualTo(Lsn.NONE);
    }

    @Test
    void isWrittenAsItWasRead() {
        assertThat(TimelineHistory.parse(5, TEXT).format()).isEqualTo(TEXT);
        assertThat(TimelineHistory.fileName(26)).isEqualTo("0000001A.history");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "\n", "# a comment\n\n"})
    void hasNoParentsWhenTheFileSaysNothing(String text) {
        assertThat(TimelineHistory.parse(7, text).parents()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"1\n", "x\t0/1\tr\n", "1\tnowhere\tr\n", "5\t0/1\tr\n", "3\t0/1\ta\n1\t0/2\tb\n", "0\t0/1\ta\n"})
    void refusesWhatPostgresWouldNotUnderstand(String text) {
        assertThatThrownBy(() -> TimelineHistory.parse(5, text)).isInstanceOf(IllegalArgumentException.class);
    }
}
