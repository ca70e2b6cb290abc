package io.quantadb.node.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.cluster.Event;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PostgresWatchTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Event SILENT = new Event.ServerHealth("its PostgreSQL stands still");
    private static final Event WELL = new Event.ServerHealth("");

    private final AtomicLong now = new AtomicLong(1);
    private final AtomicLong run = new AtomicLong(7);
    /** How often it was asked. */
    private final AtomicInteger asked = new AtomicInteger();

    private final BlockingQueue<Boolean> answers = new LinkedBlockingQueue<>();
    private final List<Event> events = new CopyOnWriteArrayList<>();
    private final PostgresWatch watch = new PostgresWatch(
            new PostgresWatch.Server() {
                @Override
                public long run() {
                    return run.get();
                }

                @Override
                public boolean answers() {
                    asked.incrementAndGet();
                    try {
                        return answers.take();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                        return false;
                    }
                }
            },
            Duration.ofSeconds(10),
            now::get,
            events::add);

    @AfterEach
    void end() {
        watch.close();
        answers.add(false);
    }

    @Test
    void saysThatItStandsStillOnceTheTimeOfAQuestionIsOverAndWhenItIsAnsweredAfterAll() {
        // Given
        asks();

        // When
        during(Duration.ofMillis(9_900));
        List<Event> early = List.copyOf(events);
        during(Duration.ofMillis(500));

        // Then
        assertThat(early).isEmpty();
        assertThat(events).containsExactly(SILENT);
        answers.add(true);
        await().atMost(PATIENCE).until(() -> {
            watch.look();
            return events.size() == 2;
        });
        assertThat(events.getLast()).isEqualTo(WELL);
    }

    @Test
    void anAnswerInTimeBeginsTheTimeAnew() {
        // Given
        asks();
        during(Duration.ofMillis(9_900));

        // When
        answers.add(true);
        await().atMost(PATIENCE).until(() -> asked.get() == 2);
        during(Duration.ofMillis(9_900));

        // Then
        assertThat(events).isEmpty();
    }

    @Test
    void aSessionThatBreaksOffIsNoAnswerAndTheTimeGoesOn() {
        // Given
        asks();
        during(Duration.ofSeconds(6));

        // When
        answers.add(false);
        await().atMost(PATIENCE).until(() -> asked.get() == 2);
        during(Duration.ofMillis(4_500));

        // Then
        assertThat(events).containsExactly(SILENT);
    }

    @Test
    void timeInWhichTheAgentDidNotRunCountsForNothing() {
        // Given
        asks();
        during(Duration.ofSeconds(9));

        // When
        now.addAndGet(Duration.ofMinutes(5).toNanos());
        watch.look();
        List<Event> awake = List.copyOf(events);
        during(Duration.ofSeconds(1));

        // Then
        assertThat(awake).isEmpty();
        assertThat(events).containsExactly(SILENT);
    }

    @Test
    void anotherRunOfTheServerOwesNoAnswerToAQuestionOfBefore() {
        // Given
        asks();
        during(Duration.ofSeconds(9));

        // When
        run.set(8);
        during(Duration.ofSeconds(20));
        List<Event> before = List.copyOf(events);
        answers.add(false);
        await().atMost(PATIENCE).until(() -> asked.get() == 2);
        during(Duration.ofMillis(9_900));

        // Then
        assertThat(before).isEmpty();
        assertThat(events).isEmpty();
    }

    @Test
    void aServerThatIsBeingStoppedIsNotJudgedAnyMore() {
        // Given
        asks();
        during(Duration.ofSeconds(11));

        // When
        run.set(0);
        during(Duration.ofSeconds(1));

        // Then
        assertThat(events).containsExactly(SILENT, WELL);
    }

    @Test
    void aServerThatTakesNoConnectionsYetIsNotAsked() {
        // Given
        run.set(0);
        watch.start();

        // When
        during(Duration.ofMinutes(5));
        run.set(7);
        await().atMost(PATIENCE).until(() -> asked.get() == 1);
        during(Duration.ofMillis(9_900));

        // Then
        assertThat(events).isEmpty();
    }

    /** Until a question is under way that is not answered. */
    private void asks() {
        watch.start();
        await().atMost(PATIENCE).until(() -> asked.get() == 1);
    }

    /** The core thread looks all the time. */
    private void during(Duration time) {
        for (long left = time.toMillis(); left > 0; left -= 100) {
            watch.look();
            now.addAndGet(Duration.ofMillis(100).toNanos());
        }
        watch.look();
    }
}
