package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.quantadb.node.common.NodeId;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** What the log says of members that fall silent. */
class HealthWatchTest {
    private static final NodeId ME = new NodeId("node1");
    private static final NodeId OTHER = new NodeId("node2");
    private static final long SECOND = 1_000_000_000L;

    private final Logger logger = (Logger) LoggerFactory.getLogger(HealthWatch.class);
    private final ListAppender<ILoggingEvent> said = new ListAppender<>();

    @BeforeEach
    void listen() {
        said.start();
        logger.addAppender(said);
    }

    @AfterEach
    void listenNoMore() {
        logger.detachAppender(said);
    }

    @Test
    void aMemberThatSpeaksEveryFiveSecondsAsItIsToGivesNoCauseForComplaint() {
        // Given
        var heard = new Heard(() -> 5_000);
        var watch = new HealthWatch(ME, heard);

        // When
        for (int second = 1; second <= 30; second++) {
            if (second % 5 == 1) {
                heard.onHeard(OTHER, second * SECOND);
            }
            watch.look(List.of(ME, OTHER), null, second * SECOND);
        }

        // Then
        assertThat(words()).isEmpty();
    }

    @Test
    void saysOnceThatItFellSilentAndOnceThatItIsHeardAgain() {
        // Given
        var heard = new Heard(() -> 5_000);
        var watch = new HealthWatch(ME, heard);
        heard.onHeard(OTHER, SECOND);

        // When
        for (int second = 1; second <= 30; second++) {
            watch.look(List.of(ME, OTHER), null, second * SECOND);
        }
        heard.onHeard(OTHER, 31 * SECOND);
        watch.look(List.of(ME, OTHER), null, 31 * SECOND);
        watch.look(List.of(ME, OTHER), null, 32 * SECOND);

        // Then
        assertThat(words()).containsExactly("Health check failed for node node2", "Health check passed for node node2");
    }

    private List<String> words() {
        return said.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
    }
}
