package io.quantadb.node.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class ServerLogTest {
    private final Logger logger = (Logger) LoggerFactory.getLogger("postgres");
    private final ListAppender<ILoggingEvent> seen = new ListAppender<>();
    private final AtomicInteger cancelled = new AtomicInteger();
    private final ServerLog log = new ServerLog(cancelled::incrementAndGet);

    @BeforeEach
    void listen() {
        seen.start();
        logger.setAdditive(false);
        logger.addAppender(seen);
    }

    @AfterEach
    void stopListening() {
        logger.detachAppender(seen);
        logger.setAdditive(true);
    }

    @Test
    void seesACancelledWaitWhateverTheLanguageAndHandsTheRestOn() {
        // When
        read("""
                [7] client WARNUNG:  01000: storniere Warten auf synchrone Replikation
                [7] client LOCATION:  SyncRepWaitForLSN, syncrep.c:331
                [7] client ERROR:  42P01: relation "x" does not exist
                [7] client LOCATION:  parserOpenTable, parse_relation.c:1449
                [9] PANIC:  could not write {} to file
                \tand more
                """);

        // Then
        assertThat(cancelled).hasValue(1);
        assertThat(seen.list)
                .extracting(ILoggingEvent::getLevel)
                .containsExactly(Level.INFO, Level.WARN, Level.ERROR, Level.ERROR);
        assertThat(seen.list.get(2).getFormattedMessage()).isEqualTo("[9] PANIC:  could not write {} to file");
    }

    @Test
    void remembersWhyTheServerCannotGoOnAndNothingOfClientsThatMayNotComeIn() {
        // When
        read("""
                [8] FATAL:  53100: could not write to file "pg_wal/xlogtemp.8": No space left on device
                [7] client FATAL:  28P01: password authentication failed for user "x"
                """);
        String ofAReceiver = log.trouble().words();
        read("[7] client PANIC:  53100: could not write to file \"pg_wal/xlogtemp.7\": No space left on device\n");

        // Then
        assertThat(ofAReceiver)
                .isEqualTo("FATAL:  53100: could not write to file \"pg_wal/xlogtemp.8\": No space left on device");
        assertThat(log.trouble().words()).startsWith("PANIC:  53100: ");
    }

    @Test
    void aNameOfAClientIsNotTakenForALocation() {
        // When
        read("[7] client FATAL:  28000: role \"x\nLOCATION:  SyncRepWaitForLSN, syncrep.c:331\" does not exist\n");

        // Then
        assertThat(cancelled).hasValue(0);
    }

    @Test
    void cutsLongLinesAndLeavesOutAFloodButStillLooksAtAll() {
        // Given
        var flood = new StringBuilder("[1] LOG:  " + "x".repeat(3 * ServerLog.LINE_BYTES_MAX) + "\n");
        flood.append("[1] client LOG:  00000: again\n".repeat(5 * ServerLog.LINES_PER_SECOND_MAX));
        flood.append("[1] LOCATION:  SyncRepWaitForLSN, syncrep.c:331\n");

        // When
        for (String line : flood.toString().split("\n")) {
            log.onLine(line.substring(0, Math.min(line.length(), ServerLog.LINE_BYTES_MAX)), 1_000_000_000L);
        }
        log.onLine("[1] LOG:  later", 2_000_000_000L);

        // Then
        assertThat(cancelled).hasValue(1);
        assertThat(seen.list).hasSize(ServerLog.LINES_PER_SECOND_MAX + 2);
        assertThat(log.lastLines()).hasSize(ServerLog.KEPT_LINES).last().isEqualTo("[1] LOG:  later");
    }

    @Test
    void logsARepeatedComplaintOfTheServerOnceInTenSeconds() {
        // Given
        long second = 1_000_000_000L;

        // When
        for (int i = 1; i <= 12; i++) {
            log.onLine("[" + i + "] FATAL:  08006: no upstream", i * second);
            log.onLine("\tIs it running?", i * second);
            log.onLine("[5] client ERROR:  a client's own", i * second);
        }

        // Then
        assertThat(seen.list)
                .extracting(ILoggingEvent::getFormattedMessage)
                .filteredOn(line -> !line.contains("client"))
                .containsExactly(
                        "[1] FATAL:  08006: no upstream",
                        "\tIs it running?",
                        "[11] FATAL:  08006: no upstream",
                        "\tIs it running?");
        assertThat(seen.list).hasSize(4 + 12);
    }

    @Test
    void cutsALineThatIsTooLongForItsBuffer() {
        // When
        read("[1] LOG:  " + "x".repeat(3 * ServerLog.LINE_BYTES_MAX) + "\n[1] LOG:  next\n");

        // Then
        assertThat(seen.list).hasSize(2);
        assertThat(seen.list.getFirst().getFormattedMessage()).hasSize(ServerLog.LINE_BYTES_MAX);
    }

    private void read(String text) {
        log.run(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
    }
}
