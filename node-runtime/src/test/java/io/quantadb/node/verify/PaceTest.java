package io.quantadb.node.verify;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class PaceTest {
    private final TestingPauses time = new TestingPauses();

    @Test
    void readsNoFasterThanItsRate() {
        // Given
        Pace pace = new Pace(1000, time);

        // When
        for (int i = 0; i < 10; i++) {
            pace.took(500);
        }

        // Then
        assertThat(time.passed()).isEqualTo(Duration.ofSeconds(5));
    }

    @Test
    void doesNotHurryAfterASlowStretch() {
        // Given
        Pace pace = new Pace(1000, time);
        pace.took(100);
        time.sleep(Duration.ofMinutes(1));
        Duration before = time.passed();

        // When
        pace.took(100);
        pace.took(1000);

        // Then
        assertThat(time.passed().minus(before)).isEqualTo(Duration.ofSeconds(1));
    }

    @Test
    void withoutARateItNeverWaits() {
        // When
        new Pace(0, time).took(Long.MAX_VALUE);

        // Then
        assertThat(time.passed()).isZero();
    }
}
