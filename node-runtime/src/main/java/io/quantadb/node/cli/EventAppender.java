package io.quantadb.node.cli;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.quantadb.node.common.EventBook;
import java.time.Instant;

/** Writes what belongs to a story into an {@link EventBook} too. Any thread. */
final class EventAppender extends AppenderBase<ILoggingEvent> {
    private final EventBook book;

    EventAppender(EventBook book) {
        this.book = book;
    }

    @Override
    protected void append(ILoggingEvent event) {
        var markers = event.getMarkerList();
        if (markers != null && !markers.isEmpty()) {
            book.add(
                    Instant.ofEpochMilli(event.getTimeStamp()),
                    event.getLevel().toString(),
                    markers.getFirst().getName(),
                    LogLine.words(event));
        }
    }
}
