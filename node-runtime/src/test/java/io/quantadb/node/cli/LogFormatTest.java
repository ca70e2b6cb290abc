package io.quantadb.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.Configurator.ExecutionStatus;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.encoder.Encoder;
import ch.qos.logback.core.read.ListAppender;
import io.quantadb.node.common.EventBook;
import io.quantadb.node.common.LogKeys;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.slf4j.MarkerFactory;

class LogFormatTest {
    private final LoggerContext context = new LoggerContext();
    private final ListAppender<ILoggingEvent> events = new ListAppender<>();

    @Test
    void printsTheStoryTheWordsAndTheKeys() throws Exception {
        // When
        String line = line(
                Level.INFO,
                logger -> logger.atInfo()
                        .addMarker(LogKeys.RAFT)
                        .addKeyValue(LogKeys.NODE, "node1")
                        .addKeyValue(LogKeys.TERM, 3)
                        .log("Transitioning to LEADER state"));

        // Then
        assertThat(line)
                .matches(
                        "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z INFO  \\[raft] Transitioning to LEADER state"
                                + " node=node1 term=3\\R");
    }

    @Test
    void keepsAForeignTextOnItsLine() throws Exception {
        // When
        String line = line(
                Level.INFO,
                logger -> logger.atWarn().addKeyValue("reason", "a\nb\u001b[2J").log("odd\r\nwords"));

        // Then
        assertThat(line).endsWith("WARN  odd words reason=a b [2J" + System.lineSeparator());
    }

    @Test
    void keepsWhatBelongsToAStoryAsAnEvent() {
        // Given
        EventBook book = new EventBook();
        EventAppender appender = new EventAppender(book);
        appender.setContext(context);
        appender.start();
        Logger logger = context.getLogger("any");
        logger.addAppender(appender);

        // When
        logger.atWarn()
                .addMarker(LogKeys.FAILOVER)
                .addKeyValue(LogKeys.EPOCH, 7)
                .log("the primary is silent");
        logger.atInfo().log("of no story");
        logger.atInfo().addMarker(MarkerFactory.getMarker("postgres")).log("STATEMENT:  SELECT 'a secret'");

        // Then
        assertThat(book.last(10, 0))
                .singleElement()
                .returns("WARN", EventBook.Event::level)
                .returns("failover", EventBook.Event::story)
                .returns("the primary is silent epoch=7", EventBook.Event::words);
    }

    @Test
    void isTheOneSetupThatLogbackFinds() {
        LoggerContext inUse = (LoggerContext) org.slf4j.LoggerFactory.getILoggerFactory();
        assertThat(inUse.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME).getAppender(LogSetup.APPENDER))
                .isInstanceOfSatisfying(
                        ConsoleAppender.class,
                        out -> assertThat(out.getEncoder()).isInstanceOf(LogLine.class));
    }

    @Test
    void namesTheCauseAndPrintsItsTraceOnlyAtDebug() throws Exception {
        // Given
        Consumer<Logger> failing = logger ->
                logger.atError().setCause(new IOException("disk\nfull")).log("the log could not be written");

        // When
        String quiet = line(Level.INFO, failing);
        String loud = line(Level.DEBUG, failing);

        // Then
        assertThat(quiet)
                .endsWith(
                        "ERROR the log could not be written cause=\"IOException: disk full\"" + System.lineSeparator());
        assertThat(loud).contains("\tat io.quantadb.node.cli.LogFormatTest");
    }

    private String line(Level level, Consumer<Logger> what) throws Exception {
        context.reset();
        assertThat(new LogSetup().configure(context)).isEqualTo(ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY);
        Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        root.setLevel(level);
        Encoder<ILoggingEvent> encoder = ((ConsoleAppender<ILoggingEvent>) root.getAppender("OUT")).getEncoder();
        root.detachAppender("OUT");
        events.list.clear();
        events.setContext(context);
        events.start();
        root.addAppender(events);
        what.accept(context.getLogger("test"));
        return new String(encoder.encode(events.list.getFirst()), StandardCharsets.UTF_8);
    }
}
