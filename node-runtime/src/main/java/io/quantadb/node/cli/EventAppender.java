package io.quantadb.node.cli;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.quantadb.node.common.EventBook;
import io.quantadb.node.common.LogKeys;
import java.time.Instant;

/**
 * Writes what belongs to one of the four stories into an {@link EventBook} too. PostgreSQL's own lines are not among them:
 * they may hold statements of clients, which are for those alone who may read the log. Any thread.
 */
final class EventAppender extends AppenderBase<ILoggingEvent> {
    private final EventBook book;

    EventAppender(EventBook book) {
        this.book = book;
    }

    @Override
    protected void append(ILoggingEvent event) {
        var markers = event.getMarkerList();
        if (markers != null && LogKeys.STORIES.contains(markers.getFirst())) {
            book.add(
                    Instant.ofEpochMilli(event.getTimeStamp()),
                    event.getLevel().toString(),
                    markers.getFirst().getName(),
                    LogLine.words(event));
        }
    }
}
