package io.quantadb.node.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.spi.ContextAwareBase;
import ch.qos.logback.core.status.NopStatusListener;
import io.quantadb.node.common.EventBook;

/**
 * Sets Logback up: everything from INFO on goes to standard output as {@link LogLine}s, of Netty from WARN on, and what
 * belongs to a story into the {@link EventBook} of the process too. Found by
 * Logback as a service at the first logger; a file in XML would load an XML parser and Logback's own model of one into
 * every agent.
 */
public final class LogSetup extends ContextAwareBase implements Configurator {
    static final String APPENDER = "OUT";
    static final String EVENTS = "EVENTS";

    @Override
    public ExecutionStatus configure(LoggerContext context) {
        context.getStatusManager().add(new NopStatusListener());
        LogLine line = new LogLine();
        line.setContext(context);
        line.start();
        ConsoleAppender<ILoggingEvent> out = new ConsoleAppender<>();
        out.setContext(context);
        out.setName(APPENDER);
        out.setEncoder(line);
        out.start();
        EventAppender events = new EventAppender(EventBook.ofProcess());
        events.setContext(context);
        events.setName(EVENTS);
        events.start();
        context.getLogger("io.netty").setLevel(Level.WARN);
        var root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        root.setLevel(Level.INFO);
        root.addAppender(out);
        root.addAppender(events);
        return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
    }
}
