package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.common.NodeException.LocalFault;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class EpochWatchTest {
    private static final Duration HOUR = Duration.ofHours(1);

    private final AtomicBoolean wanted = new AtomicBoolean(true);

    @Test
    void handsOnWhatArrivesInTime() throws Exception {
        try (EpochWatch watch = new EpochWatch(wanted::get)) {
            assertThat(watch.await(CompletableFuture.completedFuture("a"), HOUR))
                    .isEqualTo("a");
            assertThatThrownBy(() -> watch.await(CompletableFuture.failedFuture(new LocalFault("refused")), HOUR))
                    .isInstanceOf(ExecutionException.class)
                    .cause()
                    .hasMessage("refused");
            assertThatThrownBy(() -> watch.await(new CompletableFuture<>(), Duration.ofMillis(1)))
                    .isInstanceOf(TimeoutException.class);
            assertThat(watch.isOver()).isFalse();
        }
    }

    @Test
    void endsTheWaitWhenTheEpochIsOver() {
        AtomicBoolean cut = new AtomicBoolean();
        try (EpochWatch watch = new EpochWatch(wanted::get)) {
            watch.whenOver(() -> cut.set(true));
            wanted.set(false);
            assertThatThrownBy(() -> watch.await(new CompletableFuture<>(), HOUR))
                    .isInstanceOf(LocalFault.class)
                    .hasMessageContaining("is over");
            assertThat(watch.isOver()).isTrue();
            await().untilTrue(cut);
        }
    }

    @Test
    void cutsNothingOnceItIsClosed() throws Exception {
        AtomicBoolean cut = new AtomicBoolean();
        EpochWatch watch = new EpochWatch(wanted::get);
        watch.whenOver(() -> cut.set(true));
        watch.close();
        watch.ended();
        wanted.set(false);
        assertThat(watch.isOver()).isFalse();
        assertThat(cut).isFalse();
    }
}
