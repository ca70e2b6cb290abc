package io.quantadb.node.cluster;

import io.quantadb.node.common.PlaceBounds;
import org.jspecify.annotations.Nullable;

/**
 * What an operator has set of a member by command. It holds, whatever the node's own configuration says and however often
 * it restarts, until it is set anew or taken away.
 *
 * @param priority null where the node's own holds
 * @param zone {@code region/zone} or the zone alone; null where the node's own holds
 */
public record Placement(
        @Nullable Integer priority, @Nullable String zone) {
    /** Nothing was set. */
    public static final Placement NONE = new Placement(null, null);

    public Placement {
        if (priority != null) {
            PlaceBounds.requirePriority(priority);
        }
        if (zone != null) {
            PlaceBounds.requireZone(zone);
        }
    }

    /**
     * A zone as an operator writes it, as the cluster keeps it: one without a slash stays in the region, one that begins
     * with a slash is in none.
     *
     * @param region where the member stands now; empty for none
     */
    static String zoneIn(String region, String written) {
        int slash = written.indexOf('/');
        if (slash == 0) {
            return written.substring(1);
        }
        return slash > 0 || region.isEmpty() ? written : region + "/" + written;
    }

    Placement withPriority(@Nullable Integer next) {
        return new Placement(next, zone);
    }

    Placement withZone(@Nullable String next) {
        return new Placement(priority, next);
    }
}
