package io.quantadb.node.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.quantadb.node.common.NodeId;
import org.junit.jupiter.api.Test;

final class StreamCountsTest {
    private static final NodeId N2 = new NodeId("n2");
    private static final long QUARTER = 250_000_000L;

    private final StreamCounts counts = new StreamCounts();
    private long now = QUARTER;

    @Test
    void tellsHowFastAStreamGoesAndThatItStands() {
        // When
        stream(80, 1_000);
        long going = counts.bytesPerSecond(N2);
        stream(80, 0);

        // Then
        assertThat(going).isCloseTo(4_000, within(40L));
        assertThat(counts.bytesPerSecond(N2)).isLessThan(40);
    }

    @Test
    void countsWhatBrokeAndNothingOfAStranger() {
        // When
        counts.broke(N2);
        counts.broke(N2);

        // Then
        assertThat(counts.errors(N2)).isEqualTo(2);
        assertThat(counts.errors(new NodeId("n3"))).isZero();
        assertThat(counts.bytesPerSecond(new NodeId("n3"))).isZero();
    }

    @Test
    void pausesBetweenDialsGrowAsOftenAsThereAreTriesAndGoOnForEver() {
        // Given
        Backoff few = new Backoff(5_000, 2);
        Backoff many = new Backoff(100, 10);

        // When / Then
        assertThat(new long[] {few.failed(), few.failed(), few.failed(), few.failed()})
                .containsExactly(20, 40, 40, 40);
        assertThat(new long[] {many.failed(), many.failed(), many.failed(), many.failed(), many.failed()})
                .containsExactly(20, 40, 80, 100, 100);
        few.reset();
        assertThat(few.failed()).isEqualTo(20);
    }

    private void stream(int quarters, int bytesEach) {
        for (int i = 0; i < quarters; i++) {
            counts.passed(N2, bytesEach);
            counts.measure(now);
            now += QUARTER;
        }
    }
}
