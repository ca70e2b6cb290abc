package io.quantadb.node.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.pattern.ThrowableHandlingConverter;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.Context;

/** Prints a logged exception as {@code cause="IOException: disk full"}; with the debug level on, its stack trace. */
public final class WhyConverter extends ThrowableHandlingConverter {
    @Override
    public String convert(ILoggingEvent event) {
        IThrowableProxy thrown = event.getThrowableProxy();
        if (thrown == null) {
            return "";
        }
        if (debugging(getContext())) {
            return System.lineSeparator() + ThrowableProxyUtil.asString(thrown).stripTrailing();
        }
        String name = thrown.getClassName();
        String words = thrown.getMessage() == null ? "" : ": " + thrown.getMessage();
        return " cause=\"" + name.substring(name.lastIndexOf('.') + 1) + words.replaceAll("\\p{Cntrl}+", " ") + "\"";
    }

    private static boolean debugging(Context context) {
        return context instanceof LoggerContext logback
                && logback.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME).isEnabledFor(Level.DEBUG);
    }
}
