package io.quantadb.node.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class LooseTimesTest {
    private final LooseTimes times = new LooseTimes();

    private long[] covered() {
        return LongStream.range(0, 60).filter(times::cover).toArray();
    }

    @Test
    void nothingIsCoveredAsLongAsNobodyAskedForIt() {
        times.end(10);
        assertThat(covered()).isEmpty();
    }

    @Test
    void coversFromTheFirstRequestUntilItIsCertainlyOver() {
        // When
        times.begin(10);
        times.begin(12);
        times.end(14);
        times.begin(20);
        times.end(21);

        // Then
        assertThat(covered()).containsExactly(10, 11, 12, 13, 14, 20, 21);
    }

    @Test
    void coversEverythingThatComesWhileItIsNotOver() {
        times.begin(50);
        assertThat(covered()).containsExactly(LongStream.range(50, 60).toArray());
    }
}
