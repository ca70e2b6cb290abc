package io.quantadb.node.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** How busy all cores were between two moments, from the first line of /proc/stat. */
final class CpuMeter {
    private long[] before = read();

    /** Percent since the last call, or since this was made. */
    double busyPercent() {
        long[] now = read();
        long busy = now[0] - before[0];
        long all = now[1] - before[1];
        before = now;
        return all <= 0 ? 0 : 100.0 * busy / all;
    }

    private static long[] read() {
        try {
            return parse(Files.readAllLines(Path.of("/proc/stat")).getFirst());
        } catch (IOException e) {
            return new long[] {0, 0};
        }
    }

    /** Busy and all ticks of a line such as {@code cpu  user nice system idle iowait irq softirq steal}. */
    static long[] parse(String line) {
        long[] ticks = Arrays.stream(line.trim().split("\\s+"))
                .skip(1)
                .limit(8)
                .mapToLong(Long::parseLong)
                .toArray();
        long all = Arrays.stream(ticks).sum();
        return new long[] {all - ticks[3] - ticks[4], all};
    }
}
