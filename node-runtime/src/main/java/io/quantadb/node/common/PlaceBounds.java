package io.quantadb.node.common;

/** How a member may be placed, by its configuration and by command alike. */
public final class PlaceBounds {
    /** The highest priority; 0 is never primary. */
    public static final int PRIORITY_MAX = 1000;
    /** Characters of a region, and of a zone. */
    public static final int PART_MAX = 63;

    private PlaceBounds() {}

    /** Throws {@link IllegalArgumentException} for what an operator may not set, in words for who asked. */
    public static void requirePriority(int priority) {
        if (priority < 0 || priority > PRIORITY_MAX) {
            throw new IllegalArgumentException("priority %d must be from 0 to %d".formatted(priority, PRIORITY_MAX));
        }
    }

    /** The same, for {@code region/zone} or the zone alone. */
    public static void requireZone(String zone) {
        String[] parts = zone.split("/", -1);
        if (parts.length > 2) {
            throw new IllegalArgumentException(
                    "zone '%s' must have one slash at most, between region and zone".formatted(zone));
        }
        for (String part : parts) {
            if (part.length() > PART_MAX) {
                throw new IllegalArgumentException("zone '%s' must have at most %d characters on each side of its slash"
                        .formatted(zone, PART_MAX));
            }
        }
        if (zone.chars().anyMatch(Character::isISOControl)) {
            throw new IllegalArgumentException("the zone must be without control characters");
        }
    }
}
