package io.quantadb.node.bench;

import io.quantadb.node.cli.Demo;
import io.quantadb.node.cli.DemoNode;
import io.quantadb.node.cli.NodeProcesses;
import io.quantadb.node.cli.ProcessMark;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/**
 * A standby stands still (SIGSTOP) for some seconds and goes on: in odd rounds its whole node, as a machine that hangs; in
 * even ones its PostgreSQL alone, as on a disk that hangs: its agent lives, and what it is sent is never flushed. The
 * standbys take turns.
 */
final class SlowStandby implements Blow {
    private static final Duration STILL = Duration.ofSeconds(3);

    private record Standby(String name, ProcessMark agent, List<ProcessMark> postgres) {
        private static Standby of(DemoNode node) {
            return new Standby(
                    node.id().value(),
                    Objects.requireNonNull(node.agent(), "the standby has no agent"),
                    NodeProcesses.postgresTree(node.postgresData()));
        }
    }

    private final List<Standby> standbys;
    private List<ProcessMark> stopped = List.of();
    private String detail = "";

    SlowStandby(Demo demo, DemoNode primary) {
        standbys = demo.nodes().stream()
                .filter(n -> !n.id().equals(primary.id()))
                .map(Standby::of)
                .toList();
    }

    @Override
    public long strike(int round) throws IOException, InterruptedException {
        Standby chosen = standbys.get(round / 2 % standbys.size());
        boolean whole = round % 2 == 1;
        List<ProcessMark> which = new ArrayList<>(chosen.postgres());
        if (whole) {
            which.add(chosen.agent());
        }
        detail = "%s, %s".formatted(chosen.name(), whole ? "whole node" : "PostgreSQL alone");
        stopped = which;
        long at = System.nanoTime();
        PosixSignal.STOP.send(which);
        TimeUnit.MILLISECONDS.sleep(STILL.toMillis());
        PosixSignal.CONT.send(which);
        stopped = List.of();
        return at;
    }

    /** What an interrupted strike left standing goes on. */
    @Override
    public void heal() throws IOException, InterruptedException {
        PosixSignal.CONT.send(stopped);
    }

    @Override
    public String detail() {
        return detail;
    }
}
