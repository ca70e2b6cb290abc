package io.quantadb.node.chaos;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A file system in memory for one node's data, small enough to be filled. */
final class SmallDisk implements AutoCloseable {
    private static final int MEGABYTES = 1024;

    private final int node;
    private final Path mount;

    private SmallDisk(int node, Path mount) {
        this.node = node;
        this.mount = mount;
    }

    /** Why there can be none here; asked after one could not be made. */
    static String missing() {
        return System.getProperty("user.name").equals("root")
                ? "this system lets nobody mount a tmpfs"
                : "a small disk (tmpfs) needs root";
    }

    /** Mounts it; fails where that is not permitted. */
    static SmallDisk mount(int node, Path at) throws IOException {
        Files.createDirectories(at);
        run(List.of(
                "mount",
                "-t",
                "tmpfs",
                "-o",
                "size=%dm,mode=0755".formatted(MEGABYTES),
                "quantadb-chaos",
                at.toString()));
        return new SmallDisk(node, at);
    }

    /** Takes away one that an earlier run has left; without one there, nothing happens. */
    static void unmountLeftOver(Path at) {
        try {
            if (Files.exists(at) && Files.getFileStore(at).type().equals("tmpfs")) {
                run(List.of("umount", at.toString()));
            }
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    int node() {
        return node;
    }

    private Path ballast() {
        return mount.resolve("chaos.ballast");
    }

    /** Leaves no room at all. */
    void fill() throws IOException {
        byte[] block = new byte[64 * 1024];
        FileStore store = Files.getFileStore(mount);
        try (OutputStream out = Files.newOutputStream(ballast())) {
            while (store.getUsableSpace() > 0) {
                out.write(block);
            }
        } catch (IOException e) {
            if (store.getUsableSpace() > block.length) {
                throw e;
            }
        }
    }

    void clear() throws IOException {
        Files.deleteIfExists(ballast());
    }

    @Override
    public void close() throws IOException {
        run(List.of("umount", mount.toString()));
    }

    private static void run(List<String> command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        try {
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IOException("%s did not end".formatted(command.getFirst()));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
        if (process.exitValue() != 0) {
            throw new IOException("%s: %s"
                    .formatted(
                            command.getFirst(),
                            new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip()));
        }
    }
}
