package io.quantadb.node.runtime;

import io.quantadb.node.common.LogKeys;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MonotonicClock;
import io.quantadb.node.common.NodeException;
import io.quantadb.node.postgres.PostgresServer;
import io.quantadb.node.wal.SpareSegment;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * When this node's {@link SpareSegment} is made, and when it is given away: to a standby that is to receive another
 * timeline, once its server has applied everything up to where that begins. The WAL which it still lacks comes over the
 * same stream just before, so the moment is short: from the last record of the old timeline to the file for the new one
 * the receiver writes and flushes a history file, some ten milliseconds.
 *
 * <p>Any thread; a call that waits is for a thread of its own.
 */
final class SpareKeeper {
    private static final Logger LOGGER = LoggerFactory.getLogger(SpareKeeper.class);

    /** Longer than a failover takes: what is written and flushed for the next one must not come amid this one. */
    private static final Duration PAUSE = Duration.ofSeconds(2);

    private static final Duration RETRY = Duration.ofMinutes(1);
    /** By then the receiver has made its own file, or there is nothing to receive. */
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private static final Duration FIRST_LOOK_AGAIN = Duration.ofMillis(3);
    /** Looked at ever more rarely, so that a promotion that takes long is not made longer: after one second each 60 ms. */
    private static final int ELAPSED_PER_LOOK = 16;

    private final SpareSegment spare;
    private final BooleanSupplier ready;
    private final Supplier<Lsn> replayed;
    private final MonotonicClock clock;
    private volatile long notBefore;

    /**
     * @param ready whether the server takes connections
     * @param replayed how far a standby has applied; throws {@link NodeException} while it cannot be asked
     */
    SpareKeeper(SpareSegment spare, BooleanSupplier ready, Supplier<Lsn> replayed, MonotonicClock clock) {
        this.spare = spare;
        this.ready = ready;
        this.replayed = replayed;
        this.clock = clock;
        this.notBefore = clock.nanos() + PAUSE.toNanos();
    }

    static SpareKeeper of(SpareSegment spare, PostgresServer server) {
        return new SpareKeeper(spare, server::isReady, () -> server.sessions().replayLsn(), System::nanoTime);
    }

    /** Makes the spare where it is due. On a primary too, which may be a standby next. */
    void keep() {
        if (!ready.getAsBoolean() || clock.nanos() - notBefore < 0) {
            return;
        }
        notBefore = clock.nanos() + PAUSE.toNanos();
        try {
            if (!spare.keep()) {
                notBefore = clock.nanos() + RETRY.toNanos();
            }
        } catch (NodeException e) {
            notBefore = clock.nanos() + RETRY.toNanos();
            LOGGER.atDebug().addKeyValue(LogKeys.REASON, e.getMessage()).log("no spare WAL segment");
        }
    }

    /**
     * Gives the spare away for that timeline once everything up to the fork is applied; a server that still looked for
     * older WAL would find the empty file in its place and end. Returns when that is done, not wanted any more, or too
     * late.
     */
    void expect(int timeline, Lsn fork, BooleanSupplier wanted) throws InterruptedException {
        long began = clock.nanos();
        while (wanted.getAsBoolean() && clock.nanos() - began < PATIENCE.toNanos()) {
            notBefore = clock.nanos() + PAUSE.toNanos();
            if (hasApplied(fork)) {
                if (spare.use(timeline, fork)) {
                    LOGGER.atDebug()
                            .addKeyValue(LogKeys.TIMELINE, timeline)
                            .log("the timeline's first segment is prepared");
                }
                return;
            }
            Thread.sleep(FIRST_LOOK_AGAIN.plusNanos((clock.nanos() - began) / ELAPSED_PER_LOOK));
        }
    }

    private boolean hasApplied(Lsn fork) {
        try {
            return replayed.get().compareTo(fork) >= 0;
        } catch (NodeException e) {
            // It is being started, or ended: asked again until the time is over.
            return false;
        }
    }
}
