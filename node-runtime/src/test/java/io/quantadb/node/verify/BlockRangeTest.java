package io.quantadb.node.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BlockRangeTest {
    @Test
    void coversATableWithoutGapsAndLeavesItsEndOpen() {
        // When
        List<BlockRange> ranges = BlockRange.covering(300, 128);

        // Then
        assertThat(ranges)
                .containsExactly(
                        new BlockRange(0, 128, false), new BlockRange(128, 256, false), new BlockRange(256, 300, true));
    }

    @ParameterizedTest
    @CsvSource({"0,1", "1,1", "128,1", "129,2"})
    void takesAsManyRangesAsThereMustBe(long blocks, int ranges) {
        // When / Then
        assertThat(BlockRange.covering(blocks, 128)).hasSize(ranges).last().matches(BlockRange::open);
    }

    @Test
    void onlyTheLastPieceOfAnOpenRangeIsOpen() {
        // When / Then
        assertThat(new BlockRange(256, 300, true).cut(16))
                .containsExactly(
                        new BlockRange(256, 272, false),
                        new BlockRange(272, 288, false),
                        new BlockRange(288, 300, true));
    }

    @Test
    void refusesWhatIsNoRange() {
        // When / Then
        assertThatThrownBy(() -> new BlockRange(5, 5, false)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new BlockRange(-1, 5, false)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void readsARowsPlaceAsPostgresPrintsIt() {
        // When
        RowVersion row = RowVersion.of("(4294967294,291)", "4294967295", "-9223372036854775808");

        // Then
        assertThat(row).isEqualTo(new RowVersion(4294967294L, 291, 4294967295L, Long.MIN_VALUE));
        assertThat(row.place()).hasToString("(4294967294,291)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "1,2", "(1)", "(,2)", "(1,2", "(x,2)"})
    void refusesWhatIsNoPlace(String text) {
        // When / Then
        assertThatThrownBy(() -> RowVersion.of(text, "1", "1")).isInstanceOf(IllegalArgumentException.class);
    }
}
