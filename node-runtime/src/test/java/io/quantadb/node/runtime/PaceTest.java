package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class PaceTest {
    private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 1);

    @Test
    void eachPieceWaitsForItsOwnTimeBehindThoseBeforeIt() {
        // Given
        Pace pace = new Pace(1_000, now::get);

        // When / Then
        assertThat(pace.delayOf(500)).isEqualTo(Duration.ofMillis(500));
        assertThat(pace.delayOf(250)).isEqualTo(Duration.ofMillis(750));
        now.addAndGet(Duration.ofMillis(700).toNanos());
        assertThat(pace.delayOf(100)).isEqualTo(Duration.ofMillis(150));
    }

    @Test
    void aPauseEarnsNoBurst() {
        // Given
        Pace pace = new Pace(1_000, now::get);
        assertThat(pace.delayOf(100)).isEqualTo(Duration.ofMillis(100));

        // When
        now.addAndGet(Duration.ofHours(1).toNanos());

        // Then
        assertThat(pace.delayOf(1_000)).isEqualTo(Duration.ofSeconds(1));
    }

    @Test
    void withoutALimitNothingWaits() {
        // Given
        Pace pace = new Pace(0, now::get);

        // When / Then
        assertThat(pace.delayOf(Integer.MAX_VALUE)).isZero();
        assertThat(pace.delayOf(Integer.MAX_VALUE)).isZero();
    }
}
