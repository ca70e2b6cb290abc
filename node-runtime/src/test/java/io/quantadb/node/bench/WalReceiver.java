package io.quantadb.node.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The WAL receiver process of a standby that the bench started, found as a child of its postmaster. */
record WalReceiver(long pid) {
    /** @param data the standby's data directory, whose postmaster.pid names the server */
    static WalReceiver of(Path data) throws IOException {
        return new WalReceiver(serverProcess(data, "walreceiver"));
    }

    /** The process of a standby that replays WAL. */
    static long replayer(Path data) throws IOException {
        return serverProcess(data, "startup");
    }

    private static long serverProcess(Path data, String what) throws IOException {
        long postmaster = Long.parseLong(
                Files.readAllLines(data.resolve("postmaster.pid")).getFirst());
        List<ProcessHandle> children =
                ProcessHandle.of(postmaster).orElseThrow().children().toList();
        for (ProcessHandle child : children) {
            // PostgreSQL writes what a process does over its command line.
            Path title = Path.of("/proc", Long.toString(child.pid()), "cmdline");
            if (Files.readString(title).contains(what)) {
                return child.pid();
            }
        }
        throw new IOException("the server of %s has no process '%s'".formatted(data, what));
    }

    void pause() throws IOException, InterruptedException {
        signal("-STOP");
    }

    void resume() throws IOException, InterruptedException {
        signal("-CONT");
    }

    private void signal(String which) throws IOException, InterruptedException {
        Process kill = new ProcessBuilder("kill", which, Long.toString(pid))
                .inheritIO()
                .start();
        if (!kill.waitFor(5, TimeUnit.SECONDS) || kill.exitValue() != 0) {
            throw new IOException("could not signal the WAL receiver %d".formatted(pid));
        }
    }
}
