package io.quantadb.node.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.encoder.EncoderBase;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Marker;
import org.slf4j.event.KeyValuePair;

/**
 * Prints an event as one line: time in UTC, level, [story], words, key=value pairs, and of an exception
 * {@code cause="IOException: disk full"}; with the debug level on, its stack trace instead, on lines of its own.
 *
 * <p>Written in Java rather than as a pattern, because a pattern's parser and converters would stay loaded in every
 * agent. Any thread; UTF-8.
 */
final class LogLine extends EncoderBase<ILoggingEvent> {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);
    private static final Pattern CONTROLS = Pattern.compile("\\p{Cntrl}+");
    private static final int LEVEL_WIDTH = 5;

    @Override
    public byte[] encode(ILoggingEvent event) {
        StringBuilder line = new StringBuilder(160);
        TIME.formatTo(Instant.ofEpochMilli(event.getTimeStamp()), line);
        String level = event.getLevel().toString();
        line.append(' ').append(level).repeat(' ', LEVEL_WIDTH - level.length()).append(' ');
        appendMarkers(event.getMarkerList(), line);
        line.append(words(event));
        IThrowableProxy thrown = event.getThrowableProxy();
        if (thrown != null) {
            appendCause(thrown, line);
        }
        return line.append(System.lineSeparator()).toString().getBytes(StandardCharsets.UTF_8);
    }

    private static void appendMarkers(@Nullable List<Marker> markers, StringBuilder line) {
        if (markers == null || markers.isEmpty()) {
            return;
        }
        line.append('[');
        for (int i = 0; i < markers.size(); i++) {
            line.append(i == 0 ? "" : " ").append(markers.get(i).getName());
        }
        line.append("] ");
    }

    /** Message and pairs; what would break the line or move a terminal's cursor is a space. */
    static String words(ILoggingEvent event) {
        StringBuilder words = new StringBuilder(String.valueOf(event.getFormattedMessage()));
        List<KeyValuePair> pairs = event.getKeyValuePairs();
        if (pairs != null) {
            for (KeyValuePair pair : pairs) {
                words.append(' ').append(pair.key).append('=').append(pair.value);
            }
        }
        return CONTROLS.matcher(words).replaceAll(" ").stripTrailing();
    }

    private void appendCause(IThrowableProxy thrown, StringBuilder line) {
        if (debugging()) {
            line.append(System.lineSeparator())
                    .append(ThrowableProxyUtil.asString(thrown).stripTrailing());
            return;
        }
        String name = thrown.getClassName();
        line.append(" cause=\"").append(name.substring(name.lastIndexOf('.') + 1));
        if (thrown.getMessage() != null) {
            line.append(": ").append(CONTROLS.matcher(thrown.getMessage()).replaceAll(" "));
        }
        line.append('"');
    }

    private boolean debugging() {
        return getContext() instanceof LoggerContext logback
                && logback.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME).isEnabledFor(Level.DEBUG);
    }

    @Override
    public byte[] headerBytes() {
        return new byte[0];
    }

    @Override
    public byte[] footerBytes() {
        return new byte[0];
    }
}
