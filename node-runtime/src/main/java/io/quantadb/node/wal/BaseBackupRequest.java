package io.quantadb.node.wal;

import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One clone to be made.
 *
 * @param target an empty or absent directory; made with mode 0700
 * @param label shown in {@code backup_label}
 * @param owner who shall own the files; null keeps the agent's own user
 * @param stall how long the server may send nothing before the clone is given up
 * @param bytesPerSecond how much the server may send a second, in whole kB; 0 for no limit
 * @param onProgress hears bytes done and expected, on the cloning thread, at most once per message of the server
 */
public record BaseBackupRequest(
        Path target,
        String label,
        @Nullable FileOwner owner,
        Duration stall,
        long bytesPerSecond,
        Consumer<Progress> onProgress) {
    /** {@code totalBytes} is the server's estimate; 0 while it is not known. */
    public record Progress(long doneBytes, long totalBytes) {}

    public static final Duration DEFAULT_STALL = Duration.ofSeconds(60);

    /** The server sends up to 32 kB at once and at least 32 kB a second, so that it pauses for a second at most. */
    private static final Duration PAUSE_OF_A_LIMITED = Duration.ofSeconds(2);

    private static final long RATE_MIN = 32L << 10;
    private static final long RATE_MAX = 1L << 30;

    public BaseBackupRequest {
        if (label.isBlank() || label.indexOf('\'') >= 0 || label.length() > 200) {
            throw new IllegalArgumentException(
                    "the label of a base backup must be 1 to 200 characters, without quotes");
        }
        if (bytesPerSecond != 0 && (bytesPerSecond < RATE_MIN || bytesPerSecond > RATE_MAX)) {
            throw new IllegalArgumentException(
                    "a base backup of %d bytes a second must be of %d to %d, or 0 for no limit"
                            .formatted(bytesPerSecond, RATE_MIN, RATE_MAX));
        }
    }

    /** How long the server may be silent: no pause that the limit asks for is taken for a stall. */
    Duration patience() {
        return bytesPerSecond == 0 ? stall : stall.plus(PAUSE_OF_A_LIMITED);
    }
}
