package io.quantadb.node.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.embedded.EmbeddedChannel;
import io.quantadb.node.common.NodeId;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** When WAL goes out, with the defaults: 100 messages, 100 ms. */
final class WalBatchTest {
    private final EmbeddedChannel channel = new EmbeddedChannel();
    private final RelayContext context = new RelayContext(
            RelayConfig.of(new NodeId("n1"), 1, Path.of("/nowhere"), 1, Path.of("/nowhere"), 2, "x", "18.0"),
            channel.eventLoop(),
            () -> 1,
            _ -> {});
    private int flushes;
    private final WalBatch batch = new WalBatch(context, () -> flushes++);

    @BeforeEach
    void stopTime() {
        channel.freezeTime();
    }

    @AfterEach
    void close() {
        channel.finishAndReleaseAll();
    }

    @Test
    void goesAtOnceWhereCommitsWait() {
        // When
        batch.added();
        batch.ended(true);

        // Then
        assertThat(flushes).isEqualTo(1);
    }

    @Test
    void waitsForMoreWhereNoneDoesAndNoLongerThanTheInterval() {
        // Given
        batch.added();
        batch.ended(false);

        // When
        pass(60);
        batch.added();
        batch.ended(false);
        pass(39);
        int before = flushes;
        pass(1);

        // Then
        assertThat(before).isZero();
        assertThat(flushes).isEqualTo(1);
        pass(500);
        assertThat(flushes).as("nothing new").isEqualTo(1);
    }

    @Test
    void goesWhenItIsFull() {
        // When
        for (int i = 0; i < 99; i++) {
            batch.added();
            batch.ended(false);
        }
        int before = flushes;
        batch.added();
        batch.ended(false);

        // Then
        assertThat(before).isZero();
        assertThat(flushes).isEqualTo(1);
    }

    @Test
    void whatIsNoMessageGoesAtOnce() {
        // When
        batch.ended(false);

        // Then
        assertThat(flushes).isEqualTo(1);
    }

    private void pass(long millis) {
        channel.advanceTimeBy(millis, TimeUnit.MILLISECONDS);
        channel.runPendingTasks();
    }
}
