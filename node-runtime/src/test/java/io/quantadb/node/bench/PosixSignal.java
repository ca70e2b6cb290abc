package io.quantadb.node.bench;

import io.quantadb.node.cli.ProcessMark;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A signal that Java cannot send by itself, by the program {@code kill}. */
enum PosixSignal {
    STOP,
    CONT;

    /** To those that still live, all at once. */
    void send(List<ProcessMark> to) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("kill", "-" + name()));
        to.stream()
                .filter(ProcessMark::isAlive)
                .map(mark -> Long.toString(mark.pid()))
                .forEach(command::add);
        if (command.size() == 2) {
            return;
        }
        Process kill = new ProcessBuilder(command).redirectErrorStream(true).start();
        if (!kill.waitFor(5, TimeUnit.SECONDS)) {
            kill.destroyForcibly();
            throw new IOException("kill did not end");
        }
    }
}
