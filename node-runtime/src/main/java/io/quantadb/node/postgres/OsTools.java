package io.quantadb.node.postgres;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/** Small questions to the operating system: where a tool is, and whether another user can reach a path. */
final class OsTools {
    private OsTools() {}

    /** Looks a tool up on PATH, then where system tools live whatever PATH says. */
    static Optional<Path> find(String tool) {
        return searchPath().stream()
                .map(dir -> dir.resolve(tool))
                .filter(p -> Files.isExecutable(p) && !Files.isDirectory(p))
                .findFirst();
    }

    static Set<Path> searchPath() {
        var dirs = new LinkedHashSet<Path>();
        Optional.ofNullable(System.getenv("PATH")).stream()
                .flatMap(path -> Arrays.stream(path.split(":")))
                .filter(dir -> dir.startsWith("/"))
                .forEach(dir -> dirs.add(Path.of(dir)));
        for (String dir : new String[] {"/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"}) {
            dirs.add(Path.of(dir));
        }
        return dirs;
    }

    /**
     * The first directory on the way to {@code path} (or {@code path} itself, when it is a directory) that the user
     * cannot enter; empty when it can reach it. Judged by mode bits: an access control list may permit more.
     */
    static Optional<Path> obstacle(Path path, ServerUser user) {
        if (!user.switched()) {
            return Optional.empty();
        }
        try {
            Path real = existing(path.toAbsolutePath().normalize()).toRealPath();
            Path at = real.getRoot();
            for (Path step : real) {
                at = at.resolve(step);
                if (Files.isDirectory(at) && !mayEnter(at, user)) {
                    return Optional.of(at);
                }
            }
            return Optional.empty();
        } catch (IOException e) {
            return Optional.of(path);
        }
    }

    private static Path existing(Path path) {
        Path at = path;
        while (!Files.exists(at) && at.getParent() != null) {
            at = at.getParent();
        }
        return at;
    }

    private static boolean mayEnter(Path dir, ServerUser user) throws IOException {
        int mode = number(dir, "unix:mode").intValue();
        long owner = number(dir, "unix:uid").longValue();
        long group = number(dir, "unix:gid").longValue();
        if (owner == user.uid()) {
            return (mode & 0100) != 0;
        }
        if (group == user.gid() || user.groups().contains(group)) {
            return (mode & 0010) != 0;
        }
        return (mode & 0001) != 0;
    }

    static long ownerOf(Path path) throws IOException {
        return number(path, "unix:uid").longValue();
    }

    private static Number number(Path path, String attribute) throws IOException {
        return (Number) Objects.requireNonNull(Files.getAttribute(path, attribute, LinkOption.NOFOLLOW_LINKS));
    }
}
