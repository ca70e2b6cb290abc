package io.quantadb.node.postgres;

import io.quantadb.node.common.IoReason;
import io.quantadb.node.common.NodeException.LocalFault;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Optional;
import java.util.zip.CRC32;

/**
 * Chooses where a unix socket lives: the preferred directory where its path is short enough and PostgreSQL's user can
 * reach it, else a short one below {@code /run} (root), {@code $XDG_RUNTIME_DIR} or {@code /tmp}. The directory admits
 * that user (and root) alone.
 */
public final class SocketDirectory {
    /** sun_path holds 108 bytes, the last of which ends it. */
    public static final int SOCKET_PATH_BYTES_MAX = 107;

    private SocketDirectory() {}

    /** Makes the directory; {@code fileName} is the longest socket name that will be in it, {@code .s.PGSQL.5432}. */
    public static Path prepare(Path preferred, String fileName, ServerUser user) {
        Path absolute = preferred.toAbsolutePath().normalize();
        if (fits(absolute.resolve(fileName))
                && OsTools.obstacle(parent(absolute), user).isEmpty()) {
            return user.privateDirectory(absolute);
        }
        String mark = mark(absolute, user);
        Optional<Path> runtime = user.switched()
                ? Optional.of(Path.of("/run/quantadb-" + mark)).filter(p -> Files.isWritable(parent(p)))
                : Optional.ofNullable(System.getenv("XDG_RUNTIME_DIR"))
                        .map(dir -> Path.of(dir).resolve("quantadb-" + mark))
                        .filter(p -> Files.isWritable(parent(p)));
        Path fallback = runtime.filter(p -> fits(p.resolve(fileName))).orElse(Path.of("/tmp/qdb-" + mark));
        return user.privateDirectory(requireOurs(fallback, user));
    }

    static boolean fits(Path socket) {
        return socket.toString().getBytes(StandardCharsets.UTF_8).length <= SOCKET_PATH_BYTES_MAX;
    }

    /** In a directory where all may write, someone else may have put a trap under our name. */
    private static Path requireOurs(Path directory, ServerUser user) {
        try {
            if (!Files.exists(directory, LinkOption.NOFOLLOW_LINKS)) {
                return directory;
            }
            long owner = OsTools.ownerOf(directory);
            if (Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)
                    && (owner == user.uid() || (user.switched() && owner == 0))) {
                return directory;
            }
            throw new LocalFault(
                    "%s, where PostgreSQL's socket would go, belongs to somebody else: remove it, or choose a data directory with a shorter path"
                            .formatted(directory));
        } catch (IOException e) {
            throw new LocalFault("cannot examine %s: %s".formatted(directory, IoReason.of(e)), e);
        }
    }

    private static String mark(Path path, ServerUser user) {
        var crc = new CRC32();
        crc.update((user.uid() + ":" + path).getBytes(StandardCharsets.UTF_8));
        return "%08x".formatted(crc.getValue());
    }

    private static Path parent(Path path) {
        Path parent = path.getParent();
        return parent == null ? path : parent;
    }
}
