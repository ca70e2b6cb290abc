package io.quantadb.node.coordinator;

import io.quantadb.node.cluster.Position;
import io.quantadb.node.common.Lsn;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What the coordinator asks of the local PostgreSQL. Every call blocks, has a deadline of its own and throws
 * {@link io.quantadb.node.common.NodeException} with words for people; called from the engine's thread unless said
 * otherwise.
 */
public interface EngineControl {
    /** What a finished promotion or start as primary says about the timeline. */
    record Primary(int timeline, int parentTimeline, Lsn fork, Lsn recoveryEnd) {}

    /** Starts in recovery; returns the timeline once the server answers. */
    int startStandby() throws InterruptedException;

    /** Starts out of recovery and returns once crash recovery is over. */
    Primary startPrimary() throws InterruptedException;

    /** Whether the server's process runs. Any thread; returns at once. */
    boolean running();

    /** Stops, with a deadline after which every process of the server is killed; returns once nothing is left. */
    void stop(boolean immediate) throws InterruptedException;

    /** Promotes to exactly this timeline; returns once the server is out of recovery. */
    Primary promote(int timeline) throws InterruptedException;

    /** The end of the WAL on disk, fsynced; null when it cannot tell for sure. */
    @Nullable
    Position position() throws InterruptedException;

    /** The primary's insert position. Any thread. */
    Lsn insertPosition() throws InterruptedException;

    /** Writes a checkpoint while the server serves. Any thread. */
    void checkpoint() throws InterruptedException;

    /**
     * A standby will soon receive the WAL of that timeline, which begins at {@code fork}: what would keep it from
     * confirming the first of it is done as soon as all before that is applied, while {@code wanted} says so. Any thread; a
     * help, whose failure is told to nobody. Returns when it is done or cannot help any more.
     */
    void expectTimeline(int timeline, Lsn fork, BooleanSupplier wanted) throws InterruptedException;

    /** Runs a commit and says whether it was seen waiting for the voice. Any thread. */
    Probed probeCommit() throws InterruptedException;

    /** What was seen of a commit that ought to wait. */
    enum Probed {
        WAITED,
        /** It was over without. */
        PASSED,
        /** Neither, in the time that there was: the server is slow, or gone. */
        NOT_SEEN
    }

    /**
     * Waits for this node's turn, empties the data directory and fills it from that node; the server is down before and
     * after.
     *
     * @param distrusted what is in the directory may not be used from now on, whatever happens before its turn
     * @param wanted false once the epoch is over, asked on any thread: it ends then, with an exception
     */
    void cloneFrom(
            io.quantadb.node.cluster.Member source,
            long epoch,
            long generation,
            boolean distrusted,
            BooleanSupplier wanted)
            throws InterruptedException;

    /**
     * Keeps the WAL beyond the fork, then makes the data directory a part of that node's again; the server is down before
     * and after. When it throws anything but {@link Overtaken}, nothing in the directory may be used.
     *
     * @param wanted as for {@link #cloneFrom}
     */
    void rewind(
            io.quantadb.node.cluster.Member source,
            long epoch,
            long generation,
            Position end,
            Lsn fork,
            BooleanSupplier wanted)
            throws InterruptedException, Overtaken;

    /** The epoch that something was asked for is over, and nothing was changed. */
    final class Overtaken extends Exception {
        private static final long serialVersionUID = 1;

        public Overtaken(String message, Throwable cause) {
            super(message, cause);
        }
    }
}
