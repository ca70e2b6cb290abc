package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.netty.channel.embedded.EmbeddedChannel;
import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.transport.PeerStreams;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class CopyTurnTest {
    private static final NodeId SOURCE = new NodeId("node1");
    private static final EpochWatch WANTED = new EpochWatch(() -> true);

    private final PeerStreams.Opened opened = new PeerStreams.Opened(new EmbeddedChannel(), SOURCE, new byte[0]);
    private final CopyTurn turn = new CopyTurn(Duration.ofMillis(1), Duration.ofHours(1));

    @AfterAll
    static void endsTheWatch() {
        WANTED.close();
    }

    @Test
    void asksAgainUntilItIsItsTurnAndSaysMeanwhileForWhomItWaits() throws Exception {
        // Given
        AtomicInteger asked = new AtomicInteger();
        AtomicReference<String> meanwhile = new AtomicReference<>("");

        // When
        PeerStreams.Opened found = turn.await(
                SOURCE,
                () -> {
                    if (asked.incrementAndGet() <= 100) {
                        return refused(PeerStreams.NOT_YOUR_TURN, "node2 is being copied, since 34 s; one at a time");
                    }
                    meanwhile.set(turn.waitsFor());
                    return CompletableFuture.completedFuture(opened);
                },
                WANTED);

        // Then
        assertThat(found).isSameAs(opened);
        assertThat(asked).hasValue(101);
        assertThat(meanwhile).hasValue("waits for its turn: node2 is being copied, since 34 s; one at a time");
        assertThat(turn.waitsFor()).isEmpty();
    }

    @Test
    void failsAtOnceOnAnyOtherRefusal() {
        // Given
        AtomicInteger asked = new AtomicInteger();

        // When
        assertThatThrownBy(() -> turn.await(
                        SOURCE,
                        () -> {
                            asked.incrementAndGet();
                            return refused("not_allowed", "this node is no member");
                        },
                        WANTED))
                // Then
                .isInstanceOf(LocalFault.class)
                .hasMessageContaining("no base backup from node1")
                .hasMessageContaining("no member");
        assertThat(asked).hasValue(1);
    }

    @Test
    void asksASourceAgainThatIsNotServingTheEpochYetForAsLongAsItsPatienceLasts() throws Exception {
        // Given
        AtomicInteger asked = new AtomicInteger();
        CopyTurn.Dial soon = () -> asked.incrementAndGet() <= 10
                ? refused("wrong_epoch", "this node serves no streams now")
                : CompletableFuture.completedFuture(opened);

        // When, Then
        assertThat(turn.await(SOURCE, soon, WANTED)).isSameAs(opened);
        assertThat(asked).hasValue(11);
        assertThatThrownBy(() -> new CopyTurn(Duration.ofMillis(1), Duration.ofMillis(20))
                        .await(SOURCE, () -> refused("wrong_epoch", "this node serves no streams now"), WANTED))
                .isInstanceOf(LocalFault.class)
                .hasMessageContaining("serves no streams now");
    }

    @Test
    void stopsWaitingWhenItIsInterrupted() throws Exception {
        // Given
        AtomicReference<@Nullable Throwable> ended = new AtomicReference<>();
        Thread waits = Thread.ofVirtual().start(() -> {
            try {
                var _ = turn.await(SOURCE, () -> refused(PeerStreams.NOT_YOUR_TURN, "node2 is next"), WANTED);
            } catch (InterruptedException | RuntimeException e) {
                ended.set(e);
            }
        });
        await().until(() -> turn.waitsFor().equals("waits for its turn: node2 is next"));

        // When
        waits.interrupt();
        waits.join();

        // Then
        assertThat(ended.get()).isInstanceOf(InterruptedException.class);
        assertThat(turn.waitsFor()).isEmpty();
    }

    @Test
    void waitsForNoSourceAnyMoreWhenTheEpochIsOver() {
        // Given
        AtomicBoolean wanted = new AtomicBoolean(true);
        CompletableFuture<PeerStreams.Opened> silent = new CompletableFuture<>();

        // When
        try (EpochWatch watch = new EpochWatch(wanted::get)) {
            assertThatThrownBy(() -> turn.await(
                            SOURCE,
                            () -> {
                                wanted.set(false);
                                return silent;
                            },
                            watch))
                    // Then
                    .isInstanceOf(LocalFault.class)
                    .hasMessage("the epoch that this was for is over");
        }
        assertThat(silent).as("nobody is left to take the stream over").isCancelled();
    }

    private static CompletableFuture<PeerStreams.Opened> refused(String code, String words) {
        return CompletableFuture.failedFuture(new PeerStreams.StreamRefused(code, words));
    }
}
