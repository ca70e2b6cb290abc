package io.quantadb.node.config;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A number of bytes, written as PostgreSQL writes it: {@code 512kB}, {@code 16MB}, {@code 1GB}; units are powers of 1024. */
public record DataSize(long bytes) implements Comparable<DataSize> {
    private static final Pattern TEXT = Pattern.compile("(\\d{1,15})\\s*(B|[kK]i?B|Mi?B|Gi?B|Ti?B)");

    public DataSize {
        if (bytes < 0) {
            throw new IllegalArgumentException("a size of %d bytes is negative".formatted(bytes));
        }
    }

    public static DataSize ofKib(long kib) {
        return new DataSize(kib << 10);
    }

    public static DataSize ofMib(long mib) {
        return new DataSize(mib << 20);
    }

    /** Reads a number and a unit; throws {@link IllegalArgumentException} for anything else, a bare number included. */
    public static DataSize parse(String text) {
        Matcher m = TEXT.matcher(text.strip());
        if (!m.matches()) {
            throw new IllegalArgumentException("is not a size such as 512kB, 16MB or 1GB");
        }
        int shift = switch (m.group(2).toUpperCase(Locale.ROOT).charAt(0)) {
            case 'K' -> 10;
            case 'M' -> 20;
            case 'G' -> 30;
            case 'T' -> 40;
            default -> 0;
        };
        long number = Long.parseLong(m.group(1));
        if (number > (Long.MAX_VALUE >> shift)) {
            throw new IllegalArgumentException("is larger than a size can be");
        }
        return new DataSize(number << shift);
    }

    @Override
    public int compareTo(DataSize other) {
        return Long.compare(bytes, other.bytes);
    }

    @Override
    public String toString() {
        String[] units = {"TB", "GB", "MB", "kB"};
        for (int i = 0; i < units.length; i++) {
            int shift = 40 - 10 * i;
            if (bytes != 0 && (bytes & ((1L << shift) - 1)) == 0) {
                return (bytes >> shift) + units[i];
            }
        }
        return bytes + "B";
    }
}
