package io.quantadb.node.chaos;

import io.quantadb.node.cli.ProcessMark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * Makes the disk of some processes slow, by a control group of their own whose writes in a second are bounded: the kernel
 * has their fsyncs wait. Needs root and the block controller, version 1 or 2. Any thread.
 */
final class IoBrake implements AutoCloseable {
    private static final int MINOR_BITS_LOW = 8;
    private static final int MOVES = 50;

    /** Where groups are made, and how a bound is written into one; a bound of 0 is none. */
    private enum Controller {
        V1("/sys/fs/cgroup/blkio", "blkio.throttle.write_iops_device") {
            @Override
            String bound(String device, int writes) {
                return "%s %d".formatted(device, writes);
            }
        },
        V2("/sys/fs/cgroup", "io.max") {
            @Override
            String bound(String device, int writes) {
                return "%s wiops=%s".formatted(device, writes == 0 ? "max" : Integer.toString(writes));
            }
        };

        private final String home;
        private final String file;

        Controller(String home, String file) {
            this.home = home;
            this.file = file;
        }

        Path home() {
            return Path.of(home);
        }

        abstract String bound(String device, int writes);
    }

    private final Controller controller;
    private final String device;
    private final Map<String, Path> slow = new ConcurrentHashMap<>();

    private IoBrake(Controller controller, String device) {
        this.controller = controller;
        this.device = device;
    }

    /**
     * For the disk under this folder.
     *
     * @throws IOException that says why not, where it cannot be done
     */
    static IoBrake open(Path folder) throws IOException {
        if (!System.getProperty("user.name").equals("root")) {
            throw new IOException("bounding the writes of processes needs root");
        }
        String device = device(folder);
        IOException last = new IOException("this system has no control group that bounds writes");
        for (Controller each : Controller.values()) {
            if (!Files.isWritable(each.home().resolve("cgroup.procs"))) {
                continue;
            }
            IoBrake brake = new IoBrake(each, device);
            try {
                // What is refused is refused now.
                brake.release(brake.group("try", 1000));
                return brake;
            } catch (IOException e) {
                last = e;
            }
        }
        throw new IOException(
                "the writes to this disk (%s) cannot be bounded: %s".formatted(device, last.getMessage()));
    }

    /** The whole disk of a partition, since only that has a queue. */
    private static String device(Path folder) throws IOException {
        long number = ((Number) Objects.requireNonNull(Files.getAttribute(folder, "unix:dev"))).longValue();
        long major = (number >>> MINOR_BITS_LOW) & 0xFFF;
        long minor = (number & 0xFF) | ((number >>> 12) & 0xFFF00);
        Path block = Path.of("/sys/dev/block/%d:%d".formatted(major, minor));
        if (!Files.exists(block)) {
            throw new IOException("%s is not on a disk of its own kind (device %d:%d)".formatted(folder, major, minor));
        }
        Path real = block.toRealPath();
        Path whole = Files.exists(real.resolve("partition")) ? Objects.requireNonNull(real.getParent()) : real;
        return Files.readString(whole.resolve("dev")).strip();
    }

    private Path group(String name, int writes) throws IOException {
        Path group = controller
                .home()
                .resolve(
                        "quantadb-chaos-%d-%s".formatted(ProcessHandle.current().pid(), name));
        Files.createDirectory(group);
        try {
            Files.writeString(group.resolve(controller.file), controller.bound(device, writes));
            return group;
        } catch (IOException e) {
            Files.delete(group);
            throw e;
        }
    }

    /**
     * Bounds the writes of these processes and of all that they start from now on.
     *
     * @param name nothing else may have it now
     * @param writes in a second
     */
    Strike.Undo slow(String name, List<ProcessMark> processes, int writes) throws IOException, Strike.Skipped {
        if (slow.containsKey(name)) {
            throw new Strike.Skipped("its disk is slow already");
        }
        Path group = group(name, writes);
        slow.put(name, group);
        for (ProcessMark process : processes) {
            move(process.pid(), group);
        }
        return () -> end(name);
    }

    private void end(String name) throws IOException {
        Path group = slow.remove(name);
        if (group != null) {
            release(group);
        }
    }

    /** Ends what a strike that was cut short has left. */
    @Override
    public void close() throws IOException {
        for (String name : List.copyOf(slow.keySet())) {
            end(name);
        }
    }

    /** Lets what waits go on at once, puts the processes back, and removes the group. */
    private void release(Path group) throws IOException {
        Files.writeString(group.resolve(controller.file), controller.bound(device, 0));
        for (int i = 0; i < MOVES; i++) {
            for (String pid : new ArrayList<>(Files.readAllLines(group.resolve("cgroup.procs")))) {
                move(Long.parseLong(pid), controller.home());
            }
            try {
                Files.delete(group);
                return;
            } catch (IOException e) {
                pause();
            }
        }
        throw new IOException("%s cannot be removed".formatted(group));
    }

    /** One that has ended meanwhile needs no moving. */
    private static void move(long pid, Path group) {
        try {
            Files.writeString(group.resolve("cgroup.procs"), Long.toString(pid));
        } catch (IOException e) {
            // It is gone.
        }
    }

    private static void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(20);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
