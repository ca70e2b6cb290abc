package io.quantadb.node.common;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A byte position in PostgreSQL's WAL, compared unsigned and printed as PostgreSQL prints it ({@code 16/B374D848}).
 * Source: PostgreSQL documentation, "pg_lsn Type".
 */
public record Lsn(long value) implements Comparable<Lsn> {
    /** No position: PostgreSQL's InvalidXLogRecPtr. */
    public static final Lsn NONE = new Lsn(0);

    private static final Pattern TEXT = Pattern.compile("([0-9A-Fa-f]{1,8})/([0-9A-Fa-f]{1,8})");

    /** Reads PostgreSQL's text form; throws {@link IllegalArgumentException} for anything else. */
    public static Lsn parse(String text) {
        Matcher m = TEXT.matcher(text);
        if (!m.matches()) {
            throw new IllegalArgumentException("'%s' is not a WAL position such as 16/B374D848".formatted(text));
        }
        return new Lsn((Long.parseLong(m.group(1), 16) << 32) | Long.parseLong(m.group(2), 16));
    }

    public boolean isNone() {
        return value == 0;
    }

    public Lsn plus(long bytes) {
        return new Lsn(value + bytes);
    }

    /** Bytes from {@code earlier} to this; negative when this lies before it. */
    public long minus(Lsn earlier) {
        return value - earlier.value;
    }

    public static Lsn max(Lsn a, Lsn b) {
        return a.compareTo(b) >= 0 ? a : b;
    }

    public static Lsn min(Lsn a, Lsn b) {
        return a.compareTo(b) <= 0 ? a : b;
    }

    public boolean atLeast(Lsn other) {
        return compareTo(other) >= 0;
    }

    @Override
    public int compareTo(Lsn other) {
        return Long.compareUnsigned(value, other.value);
    }

    @Override
    public String toString() {
        return "%X/%X".formatted(value >>> 32, value & 0xFFFF_FFFFL);
    }
}
