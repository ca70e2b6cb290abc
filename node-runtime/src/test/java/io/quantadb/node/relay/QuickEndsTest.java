package io.quantadb.node.relay;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class QuickEndsTest {
    private long now = Long.MAX_VALUE - TimeUnit.SECONDS.toNanos(3);
    private final QuickEnds ends = new QuickEnds(() -> now);

    @Test
    void aReceiverThatKeepsEndingIsJoinedOnceASecondFromTheFourthTimeOn() {
        // When
        for (int i = 1; i <= 3; i++) {
            streamFor(10);
            assertThat(ends.mustWait()).as("after the %d. end", i).isFalse();
        }
        streamFor(10);
        boolean atOnce = ends.mustWait();
        now += TimeUnit.MILLISECONDS.toNanos(999);
        boolean almost = ends.mustWait();
        now += TimeUnit.MILLISECONDS.toNanos(1);

        // Then
        assertThat(atOnce).isTrue();
        assertThat(almost).isTrue();
        assertThat(ends.mustWait()).isFalse();
    }

    @Test
    void oneThatHasStreamedForASecondOrIsToFollowAnotherStartsOver() {
        // Given
        for (int i = 0; i < 4; i++) {
            streamFor(10);
        }

        // When it streams for longer
        now += TimeUnit.SECONDS.toNanos(1);
        streamFor(1_000);

        // Then
        assertThat(ends.mustWait()).isFalse();

        // When it is pointed elsewhere after quick ends
        for (int i = 0; i < 4; i++) {
            streamFor(10);
        }
        assertThat(ends.mustWait()).isTrue();
        ends.reset();

        // Then
        assertThat(ends.mustWait()).isFalse();
    }

    @Test
    void oneThatHadNoUpstreamCountsForNothing() {
        // When
        for (int i = 0; i < 2 * QuickEnds.EARLY_AT_ONCE; i++) {
            ends.onReceiverGone();
        }

        // Then
        assertThat(ends.mustWait()).isFalse();
    }

    @Test
    void oneThatNeverComesToStreamingHasMoreTriesUntilItWaits() {
        // When
        for (int i = 1; i < QuickEnds.EARLY_AT_ONCE; i++) {
            joinFor(10);
            assertThat(ends.mustWait()).as("after the %d. end", i).isFalse();
        }
        joinFor(10);
        boolean last = ends.mustWait();
        now += TimeUnit.SECONDS.toNanos(1);
        boolean later = ends.mustWait();
        joinFor(1_000);

        // Then
        assertThat(last).isTrue();
        assertThat(later).isFalse();
        assertThat(ends.mustWait()).isFalse();
    }

    private void joinFor(long millis) {
        ends.onJoined();
        now += TimeUnit.MILLISECONDS.toNanos(millis);
        ends.onReceiverGone();
    }

    private void streamFor(long millis) {
        ends.onStreaming();
        now += TimeUnit.MILLISECONDS.toNanos(millis);
        ends.onReceiverGone();
    }
}
