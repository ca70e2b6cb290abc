package io.quantadb.node.bench;

import io.quantadb.node.cli.ProcessMark;
import java.io.IOException;
import java.util.List;

/**
 * Holds a primary's WAL back: its walsenders to the members are stopped (SIGSTOP), so that what it writes from now on is
 * on its own disk only, while agents, heartbeats and the voice go on. This is the moment before a loss: a commit that is
 * acknowledged now is gone when the node dies.
 */
public final class HeldStreams implements AutoCloseable {
    /** Asks the primary for the processes to hold; the voice's is not among them. */
    public static final String SENDERS =
            "SELECT pid FROM pg_stat_replication WHERE application_name <> 'quantadb_voice'";

    private final List<ProcessMark> senders;

    private HeldStreams(List<ProcessMark> senders) {
        this.senders = senders;
    }

    /** @param pids what {@link #SENDERS} gave on the primary */
    public static HeldStreams hold(List<Long> pids) throws IOException, InterruptedException {
        if (pids.isEmpty()) {
            throw new IllegalStateException("the primary has no streams to hold");
        }
        HeldStreams out = new HeldStreams(
                pids.stream().flatMap(pid -> ProcessMark.of(pid).stream()).toList());
        PosixSignal.STOP.send(out.senders);
        return out;
    }

    /** Lets go of those that still live. */
    @Override
    public void close() throws IOException, InterruptedException {
        PosixSignal.CONT.send(senders);
    }
}
