package io.quantadb.node.postgres;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What {@code postgres --version} says.
 *
 * @param major 15, 16, ...
 * @param text the whole number, {@code 15.18} or {@code 19beta1}
 */
public record PostgresVersion(int major, String text) {
    public static final int OLDEST_MAJOR = 15;
    public static final int NEWEST_MAJOR = 18;

    /** Of nothing: where no server is run. */
    static final PostgresVersion NONE = new PostgresVersion(0, "none");

    private static final Pattern LINE = Pattern.compile("postgres \\(PostgreSQL\\) ((\\d+)\\S*).*", Pattern.DOTALL);

    /** Reads a line such as {@code postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)}. */
    public static Optional<PostgresVersion> parse(String line) {
        Matcher m = LINE.matcher(line.strip());
        return m.matches()
                ? Optional.of(new PostgresVersion(Integer.parseInt(m.group(2)), m.group(1)))
                : Optional.empty();
    }

    public boolean supported() {
        return major >= OLDEST_MAJOR && major <= NEWEST_MAJOR;
    }

    @Override
    public String toString() {
        return text;
    }
}
