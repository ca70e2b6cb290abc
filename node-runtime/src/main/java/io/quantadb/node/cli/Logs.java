package io.quantadb.node.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import io.quantadb.node.config.LogLevel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Sets how much is logged. */
final class Logs {
    private Logs() {}

    static void level(LogLevel level) {
        if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
            context.getLogger(Logger.ROOT_LOGGER_NAME).setLevel(Level.valueOf(level.name()));
            // Netty explains its whole environment at debug; that is not this program's story.
            context.getLogger("io.netty").setLevel(level == LogLevel.DEBUG ? Level.INFO : Level.WARN);
        }
    }
}
