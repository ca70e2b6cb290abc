package io.quantadb.node.front;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/**
 * The few things that the front recognises inside a session; pure functions over whole small messages.
 *
 * <p>A statement that lowers {@code synchronous_commit} is not answered by the front itself, which would put the answer
 * out of order and leave the transaction as it was: its value is replaced by one that PostgreSQL refuses, and the error
 * is put in the right words on its way back. Only a Query or Parse that <em>begins</em> with SET and is short is seen;
 * {@code set_config}, a second statement in one Query, functions and {@code ALTER ROLE ... SET} are not.
 */
final class SessionGuard {
    static final byte QUERY = 'Q';
    static final byte PARSE = 'P';
    static final byte TERMINATE = 'X';

    private static final int STATEMENT_LENGTH_MAX = 512;
    private static final String REFUSED_VALUE = "lowered_value_refused_by_quantadb";
    private static final String REFUSED_STATEMENT = "SET synchronous_commit TO '" + REFUSED_VALUE + "'";
    private static final Pattern SET_COMMIT = Pattern.compile(
            "\\s*set\\s+(?:(?:session|local)\\s+)?\"?synchronous_commit\"?\\s*(?:=|\\s+to\\s)\\s*'?([a-z0-9_]*).*",
            Pattern.CASE_INSENSITIVE | Pattern.DOTALL);
    private static final Pattern VOICE_SETTING = Pattern.compile("application_name\0" + StartupPolicy.VOICE + "\0");

    private SessionGuard() {}

    /** Which client messages are looked at whole. */
    static boolean wants(byte tag, int length) {
        return switch (tag) {
            case QUERY, PARSE -> length <= STATEMENT_LENGTH_MAX;
            case TERMINATE -> length == 4;
            default -> false;
        };
    }

    /** The message itself, or the one that makes PostgreSQL refuse it. Takes and gives ownership. */
    static ByteBuf withoutLoweredCommit(ByteBuf whole, ByteBufAllocator allocator) {
        byte tag = whole.getByte(whole.readerIndex());
        int from = whole.readerIndex() + 5;
        int end = whole.writerIndex();
        if (tag == PARSE) {
            from = whole.indexOf(from, end, (byte) 0) + 1;
        }
        int stop = from <= 0 || tag == TERMINATE ? -1 : whole.indexOf(from, end, (byte) 0);
        if (stop < 0 || !looksLikeSet(whole, from, stop)) {
            return whole;
        }
        var matcher = SET_COMMIT.matcher(whole.toString(from, stop - from, StandardCharsets.ISO_8859_1));
        if (!matcher.matches() || "default".equalsIgnoreCase(matcher.group(1)) || !lowers(matcher.group(1))) {
            return whole;
        }
        ByteBuf changed = allocator.buffer(whole.readableBytes() + REFUSED_STATEMENT.length());
        changed.writeBytes(whole, whole.readerIndex(), from - whole.readerIndex());
        changed.writeCharSequence(REFUSED_STATEMENT, StandardCharsets.US_ASCII);
        changed.writeBytes(whole, stop, end - stop);
        changed.setInt(1, changed.writerIndex() - 1);
        whole.release();
        return changed;
    }

    private static boolean lowers(String value) {
        return StartupPolicy.lowers(value);
    }

    /** Spares nearly all statements the decoding. */
    private static boolean looksLikeSet(ByteBuf in, int from, int stop) {
        int at = from;
        while (at < stop && Character.isWhitespace(in.getByte(at))) {
            at++;
        }
        return stop - at > 20
                && (in.getByte(at) | 0x20) == 's'
                && (in.getByte(at + 1) | 0x20) == 'e'
                && (in.getByte(at + 2) | 0x20) == 't';
    }

    /** Whether an error is PostgreSQL's answer to the value that the front put in. */
    static boolean isLoweredCommitError(Report report) {
        String message = report.get(Report.MESSAGE);
        return "22023".equals(report.get(Report.CODE)) && message != null && message.contains(REFUSED_VALUE);
    }

    static Report loweredCommit(Report report) {
        return report.with(Report.CODE, "42501")
                .with(Report.MESSAGE, StartupPolicy.LOWERED_MESSAGE)
                .with(Report.HINT, StartupPolicy.LOWERED_HINT);
    }

    /** Whether a warning says that a wait for acknowledgement was given up; its text is localised, this is not. */
    static boolean isCancelledWait(Report report) {
        return "SyncRepWaitForLSN".equals(report.get(Report.ROUTINE));
    }

    /** Whether a ParameterStatus says that the connection now bears the voice's name. */
    static boolean claimsVoice(ByteBuf whole) {
        String setting =
                whole.toString(whole.readerIndex() + 5, whole.readableBytes() - 5, StandardCharsets.ISO_8859_1);
        return VOICE_SETTING.matcher(setting.toLowerCase(java.util.Locale.ROOT)).matches();
    }
}
