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
 * @param onProgress hears bytes done and expected, on the cloning thread, at most once per message of the server
 */
public record BaseBackupRequest(
        Path target, String label, @Nullable FileOwner owner, Duration stall, Consumer<Progress> onProgress) {
    /** {@code totalBytes} is the server's estimate; 0 while it is not known. */
    public record Progress(long doneBytes, long totalBytes) {}

    public static final Duration DEFAULT_STALL = Duration.ofSeconds(60);

    public BaseBackupRequest {
        if (label.isBlank() || label.indexOf('\'') >= 0 || label.length() > 200) {
            throw new IllegalArgumentException(
                    "the label of a base backup must be 1 to 200 characters, without quotes");
        }
    }
}
