package io.quantadb.node.process;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A disk of a few megabytes (a tmpfs) over one folder of a test, which can be filled to its last block and freed again.
 * Needs root. It is taken away when closed, or when the tests' process ends before that.
 */
final class SmallDisk implements AutoCloseable {
    private static final int BIG = 1 << 20;
    private static final int SMALL = 512;

    private final Path folder;
    private final Path filler;
    private final Thread hook;

    private SmallDisk(Path folder) {
        this.folder = folder;
        this.filler = folder.resolve("filler-of-the-test");
        this.hook = new Thread(this::unmount, "small-disk-end");
    }

    /** Why there can be none here; empty when there can. */
    static String missing() {
        if (!System.getProperty("user.name").equals("root")) {
            return "a small disk (tmpfs) needs root";
        }
        try {
            Path folder = Files.createTempDirectory("qsd");
            try {
                run(List.of("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder.toString()));
                run(List.of("umount", folder.toString()));
            } finally {
                Files.delete(folder);
            }
            return "";
        } catch (IOException e) {
            return "a small disk (tmpfs) cannot be mounted: " + e.getMessage();
        }
    }

    /** Puts one over this folder, which is made; whoever runs PostgreSQL can come to it. */
    static SmallDisk over(Path folder, int megabytes) throws IOException {
        List<Path> made = new ArrayList<>();
        for (Path at = folder; at != null && !Files.exists(at); at = at.getParent()) {
            made.add(at);
        }
        Files.createDirectories(folder);
        for (Path at : made) {
            Files.setPosixFilePermissions(at, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
        run(List.of("mount", "-t", "tmpfs", "-o", "mode=0755,size=" + megabytes + "m", "tmpfs", folder.toString()));
        SmallDisk out = new SmallDisk(folder);
        Runtime.getRuntime().addShutdownHook(out.hook);
        return out;
    }

    /** Leaves no room at all. */
    void fill() throws IOException {
        try (FileChannel out = FileChannel.open(
                filler, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND)) {
            for (int size = BIG; size >= SMALL; size /= 2) {
                writeWhileThereIsRoom(out, size);
            }
        }
        // A base backup that meets it copies it.
        Files.setPosixFilePermissions(filler, PosixFilePermissions.fromString("rw-r--r--"));
    }

    private static void writeWhileThereIsRoom(FileChannel out, int size) throws IOException {
        try {
            while (true) {
                out.write(ByteBuffer.allocate(size));
            }
        } catch (IOException e) {
            if (!String.valueOf(e.getMessage()).contains("No space left")) {
                throw e;
            }
        }
    }

    void free() throws IOException {
        Files.deleteIfExists(filler);
    }

    @Override
    public void close() {
        unmount();
        Runtime.getRuntime().removeShutdownHook(hook);
    }

    /** From the tree at once; the memory goes with the last process that uses it. */
    private void unmount() {
        try {
            run(List.of("umount", "-l", folder.toString()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void run(List<String> command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        try {
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IOException(String.join(" ", command) + " did not end");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
        if (process.exitValue() != 0) {
            throw new IOException(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip());
        }
    }
}
