package io.quantadb.node.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.cluster.Event;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DiskWatchTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @TempDir
    Path folder;

    private final AtomicLong now = new AtomicLong(1);
    private final List<Event> events = new CopyOnWriteArrayList<>();

    @Test
    void saysThatAFlushIsUnansweredOnceItsTimeIsOverAndWhenItIsAnsweredAfterAll() {
        // Given
        CountDownLatch hangs = new CountDownLatch(1);
        CountDownLatch answers = new CountDownLatch(1);
        DiskWatch watch = watch(() -> {
            hangs.countDown();
            awaitQuietly(answers);
        });
        watch.start();
        awaitQuietly(hangs);

        // When
        now.addAndGet(Duration.ofMillis(4_999).toNanos());
        watch.look();
        List<Event> early = List.copyOf(events);
        now.addAndGet(Duration.ofMillis(2).toNanos());
        watch.look();
        watch.look();

        // Then
        assertThat(early).isEmpty();
        assertThat(events).containsExactly(new Event.DiskHealth("its disk leaves a flush unanswered"));
        answers.countDown();
        await().atMost(PATIENCE).until(() -> {
            watch.look();
            return events.size() == 2;
        });
        assertThat(events.getLast()).isEqualTo(new Event.DiskHealth(""));
        watch.close();
    }

    @Test
    void saysWhatTheDiskFailsWith() {
        // Given
        DiskWatch watch = watch(() -> {
            throw new IOException("Input/output error");
        });

        // When
        watch.start();

        // Then
        await().atMost(PATIENCE).until(() -> {
            watch.look();
            return !events.isEmpty();
        });
        assertThat(events).containsExactly(new Event.DiskHealth("its disk fails: Input/output error"));
        watch.close();
    }

    @Test
    void aFullDiskSaysNothingOfItsHealth() {
        // Given
        AtomicInteger flushes = new AtomicInteger();
        DiskWatch watch = watch(() -> {
            flushes.incrementAndGet();
            throw new IOException("No space left on device");
        });

        // When
        watch.start();
        await().atMost(PATIENCE).until(() -> flushes.get() > 1);
        watch.look();

        // Then
        assertThat(events).isEmpty();
        watch.close();
    }

    @Test
    void flushesAFileOfItsOwnInPlace() throws IOException {
        // Given
        Path file = folder.resolve("disk.check");
        DiskWatch.Flush flush = DiskWatch.file(file);
        flush.run();
        byte[] before = Files.readAllBytes(file);

        // When
        flush.run();

        // Then
        assertThat(Files.size(file)).isEqualTo(4096);
        assertThat(Files.readAllBytes(file)).isNotEqualTo(before);
        assertThatThrownBy(DiskWatch.file(folder.resolve("nowhere").resolve("disk.check"))::run)
                .isInstanceOf(IOException.class);
    }

    private DiskWatch watch(DiskWatch.Flush flush) {
        return new DiskWatch(flush, Duration.ofSeconds(5), now::get, events::add);
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            assertThat(latch.await(PATIENCE.toSeconds(), java.util.concurrent.TimeUnit.SECONDS))
                    .isTrue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
