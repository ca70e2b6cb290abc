package io.quantadb.node.runtime;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A cluster's id as {@code base}, or {@code base~N.xxxxxxxx} after its N-1th recovery from a lost majority: whoever reads
 * two of them knows whether one takes the other's place. What stands behind the point is random, so that two recoveries
 * that do not know of each other make two clusters.
 */
final class ClusterNames {
    private static final Pattern RECOVERED = Pattern.compile("(.+)~([0-9]{1,9})\\.([0-9a-f]{8})");

    private ClusterNames() {}

    /** The one that follows. */
    static String next(String id, int random) {
        return "%s~%d.%08x".formatted(base(id), generation(id) + 1, random);
    }

    /** Whether the first was made in the second's place, at once or later. */
    static boolean supersedes(String id, String other) {
        return !other.isEmpty() && base(id).equals(base(other)) && generation(id) > generation(other);
    }

    private static String base(String id) {
        Matcher m = RECOVERED.matcher(id);
        return m.matches() ? m.group(1) : id;
    }

    private static int generation(String id) {
        Matcher m = RECOVERED.matcher(id);
        return m.matches() ? Integer.parseInt(m.group(2)) : 1;
    }
}
