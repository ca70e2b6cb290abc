package io.quantadb.node.bench;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** How long a few processes have computed, from the scheduler's own account of their threads. */
record ProcessCpu(List<Long> pids) {
    static ProcessCpu of(long... pids) {
        return new ProcessCpu(java.util.Arrays.stream(pids).boxed().toList());
    }

    /** Milliseconds since the processes started, of threads that still live; NaN where the kernel keeps no account. */
    double millis() throws IOException {
        double sum = 0;
        for (long pid : pids) {
            try (DirectoryStream<Path> threads =
                    Files.newDirectoryStream(Path.of("/proc", Long.toString(pid), "task"))) {
                for (Path thread : threads) {
                    sum += nanos(thread.resolve("schedstat")) / 1e6;
                }
            }
        }
        return sum;
    }

    private static double nanos(Path schedstat) throws IOException {
        try {
            return parse(Files.readString(schedstat));
        } catch (java.nio.file.NoSuchFileException e) {
            // The thread has ended meanwhile, or there is no such account.
            return Files.exists(Path.of("/proc/self/schedstat")) ? 0 : Double.NaN;
        }
    }

    /** The first of {@code nanoseconds-on-a-cpu nanoseconds-waiting slices}. */
    static double parse(String line) {
        return Double.parseDouble(line.substring(0, line.indexOf(' ')));
    }
}
