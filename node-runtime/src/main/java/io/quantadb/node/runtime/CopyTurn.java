package io.quantadb.node.runtime;

import io.quantadb.node.common.LogKeys;
import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.transport.PeerStreams;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gets this node its turn to copy the primary's data: members are copied one at a time, and the source refuses whoever
 * must wait. That is no failure and is said once, however often it is asked again.
 *
 * <p>{@link #await} on one thread at a time, which may be interrupted; {@link #waitsFor} on any.
 */
final class CopyTurn {
    private static final Logger LOGGER = LoggerFactory.getLogger(CopyTurn.class);
    private static final Duration DIAL = Duration.ofSeconds(10);
    /** Whoever has not asked for some seconds has lost its place. */
    private static final Duration ASK_AGAIN = Duration.ofMillis(250);
    /** For a source that is being promoted, or just starts; then it may be this node that is behind. */
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Duration askAgain;
    private final Duration patience;
    private volatile String waitsFor = "";

    /** One try. */
    interface Dial {
        CompletableFuture<PeerStreams.Opened> open();
    }

    CopyTurn() {
        this(ASK_AGAIN, PATIENCE);
    }

    CopyTurn(Duration askAgain, Duration patience) {
        this.askAgain = askAgain;
        this.patience = patience;
    }

    /** For whom it waits, in words; empty when it does not. */
    String waitsFor() {
        return waitsFor;
    }

    /**
     * The stream to copy by, once the source lets this node have it.
     *
     * @throws LocalFault when the source refuses it for another reason, or is not reached, or the epoch is over
     */
    PeerStreams.Opened await(NodeId source, Dial dial, EpochWatch watch) throws InterruptedException {
        long began = System.nanoTime();
        try {
            while (true) {
                CompletableFuture<PeerStreams.Opened> opened = dial.open();
                try {
                    return watch.await(opened, DIAL);
                } catch (ExecutionException e) {
                    if (!mayAskAgain(e.getCause(), began)) {
                        throw new LocalFault("no base backup from " + source + ": " + e.getCause(), e);
                    }
                } catch (TimeoutException e) {
                    throw new LocalFault("no base backup from " + source + ": it did not answer within " + DIAL, e);
                } finally {
                    // Interrupted, overtaken or too late: nobody is left to take the stream over.
                    opened.cancel(true);
                }
                Thread.sleep(askAgain);
            }
        } finally {
            waitsFor = "";
        }
    }

    private boolean mayAskAgain(@Nullable Throwable failure, long began) {
        if (!(failure instanceof PeerStreams.StreamRefused refused)) {
            return false;
        }
        if (refused.code().equals(PeerStreams.NOT_YOUR_TURN)) {
            waits(String.valueOf(refused.getMessage()));
            return true;
        }
        return (refused.code().equals("wrong_epoch") || refused.code().equals("not_ready"))
                && System.nanoTime() - began < patience.toNanos();
    }

    private void waits(String inFront) {
        if (waitsFor.isEmpty()) {
            LOGGER.atInfo()
                    .addMarker(LogKeys.REPLICATION)
                    .addKeyValue(LogKeys.REASON, inFront)
                    .log("waits for its turn to be copied");
        }
        waitsFor = "waits for its turn: " + inFront;
    }
}
