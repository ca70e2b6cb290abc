package io.quantadb.node.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * One life of a process: its number alone may belong to another process later, so its start is remembered with it.
 * On Linux that is the start tick of {@code /proc/PID/stat} and the machine's boot id, which no change of the clock
 * touches; elsewhere it is the start time that Java reports.
 *
 * @param started ticks since boot, or milliseconds since 1970 where there is no /proc
 * @param boot the boot's id; empty where there is none
 */
public record ProcessMark(long pid, long started, String boot) {
    private static final Path PROC = Path.of("/proc");
    private static final Path BOOT_ID = PROC.resolve("sys/kernel/random/boot_id");

    /** The life that this number has now; empty when there is none, or only its remains (a zombie). */
    public static Optional<ProcessMark> of(long pid) {
        if (!Files.isReadable(PROC.resolve("self/stat"))) {
            return ProcessHandle.of(pid)
                    .filter(ProcessHandle::isAlive)
                    .flatMap(handle -> handle.info().startInstant())
                    .map(start -> new ProcessMark(pid, start.toEpochMilli(), ""));
        }
        try {
            String stat = Files.readString(PROC.resolve(pid + "/stat"), StandardCharsets.ISO_8859_1);
            // The name in brackets may hold blanks and brackets: fields are counted from the last bracket.
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
            if (fields[0].equals("Z") || fields[0].equals("X")) {
                return Optional.empty();
            }
            return Optional.of(new ProcessMark(pid, Long.parseLong(fields[19]), bootId()));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** Whether this very life still goes on. */
    public boolean isAlive() {
        return of(pid).filter(this::equals).isPresent();
    }

    /** Kills at once, and only this life; false when it was over already. */
    public boolean kill() {
        return isAlive()
                && ProcessHandle.of(pid).map(ProcessHandle::destroyForcibly).orElse(false);
    }

    /** Asks it to end, and only this life; false when it was over already. */
    public boolean terminate() {
        return isAlive() && ProcessHandle.of(pid).map(ProcessHandle::destroy).orElse(false);
    }

    private static String bootId() {
        try {
            return Files.readString(BOOT_ID).strip();
        } catch (IOException e) {
            return "";
        }
    }
}
