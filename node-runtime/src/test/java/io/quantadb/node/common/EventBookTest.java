package io.quantadb.node.common;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class EventBookTest {
    private final EventBook book = new EventBook();

    @Test
    void forgetsTheOldest() {
        // When
        IntStream.rangeClosed(1, EventBook.KEPT_MAX + 7).forEach(i -> add("event " + i));

        // Then
        var all = book.last(Integer.MAX_VALUE, 0);
        assertThat(all).hasSize(EventBook.KEPT_MAX);
        assertThat(all.getFirst().number()).isEqualTo(8);
        assertThat(all.getLast().words()).isEqualTo("event " + (EventBook.KEPT_MAX + 7));
    }

    @Test
    void tellsTheNewestOfThoseAfterANumber() {
        // Given
        IntStream.rangeClosed(1, 10).forEach(i -> add("event " + i));

        // Then
        assertThat(book.last(3, 4)).extracting(EventBook.Event::number).containsExactly(8L, 9L, 10L);
        assertThat(book.last(30, 8)).extracting(EventBook.Event::number).containsExactly(9L, 10L);
        assertThat(book.last(3, 10)).isEmpty();
    }

    @Test
    void cutsWordsThatAreTooLong() {
        // When
        add("x".repeat(EventBook.WORDS_MAX + 1));

        // Then
        assertThat(book.last(1, 0).getFirst().words())
                .hasSize(EventBook.WORDS_MAX + 1)
                .endsWith("…");
    }

    private void add(String words) {
        book.add(Instant.EPOCH, "INFO", "cluster", words);
    }
}
