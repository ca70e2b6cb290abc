package io.quantadb.node.postgres;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How much WAL a server keeps for members that are away: {@value #NAME}, so that none of them ever fills the disk. Unless
 * the user says otherwise a quarter of the disk, 4 GB at most. There is always a bound; PostgreSQL enforces it at
 * checkpoints, so up to {@code max_wal_size} more may be there for a while.
 */
public final class WalBound {
    static final String NAME = "max_slot_wal_keep_size";
    static final long LEAST_MB = 64;
    static final long MOST_MB = 4096;

    private static final Pattern SIZE = Pattern.compile("(\\d{1,12})\\s*(B|kB|MB|GB|TB|)");
    private static final Map<String, Long> BYTES =
            Map.of("B", 1L, "kB", 1L << 10, "MB", 1L << 20, "", 1L << 20, "GB", 1L << 30, "TB", 1L << 40);

    private WalBound() {}

    /** The user's settings, with a bound that suits the disk under the data directory when they name none. */
    public static Map<String, String> addTo(Map<String, String> settings, Path dataDirectory) {
        Map<String, String> out = new TreeMap<>(settings);
        if (settings.keySet().stream().noneMatch(NAME::equalsIgnoreCase)) {
            out.put(NAME, forDisk(diskBytes(dataDirectory)));
        }
        return out;
    }

    /** @param diskBytes the size of the disk, 0 when it cannot be told */
    static String forDisk(long diskBytes) {
        long quarterMb = diskBytes <= 0 ? MOST_MB : (diskBytes >> 20) / 4;
        return "%dMB".formatted(Math.clamp(quarterMb, LEAST_MB, MOST_MB));
    }

    private static long diskBytes(Path dataDirectory) {
        Path there = dataDirectory.toAbsolutePath().normalize();
        while (there.getParent() != null && !Files.exists(there)) {
            there = there.getParent();
        }
        try {
            return Files.getFileStore(there).getTotalSpace();
        } catch (IOException e) {
            return 0;
        }
    }

    /** Throws {@link IllegalArgumentException} for anything that is no bound, or too low to be of use. */
    static void require(String value) {
        Matcher m = SIZE.matcher(value.strip());
        double bytes = m.matches() ? Double.parseDouble(m.group(1)) * BYTES.getOrDefault(m.group(2), 0L) : 0;
        if (bytes < LEAST_MB << 20) {
            throw new IllegalArgumentException(
                    "postgresql setting %s=%s: the cluster needs a bound of at least %dMB, such as 10GB, so that no absent member fills the disk"
                            .formatted(NAME, value, LEAST_MB));
        }
    }
}
