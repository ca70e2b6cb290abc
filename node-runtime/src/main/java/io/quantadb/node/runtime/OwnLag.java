package io.quantadb.node.runtime;

import io.quantadb.node.cluster.LagClock;
import io.quantadb.node.common.Lsn;
import java.util.function.Supplier;

/**
 * On a standby: how far it is behind the end of the primary's WAL, of which it knows what the primary said last and what
 * was delivered since. Core thread.
 */
final class OwnLag {
    private final Supplier<Lsn> said;
    private LagClock lag = new LagClock();
    private Lsn end = Lsn.NONE;
    private long epoch;

    /** @param said the end that the primary of the present epoch told lately, {@link Lsn#NONE} when it told none */
    OwnLag(Supplier<Lsn> said) {
        this.said = said;
    }

    /**
     * One look.
     *
     * @param present the epoch whose stream this node follows; what was known in another counts no more
     * @param delivered of that stream
     * @param flushed by this node; {@link Lsn#NONE} before its receiver has said anything
     */
    Behind measure(long present, Lsn delivered, Lsn flushed, long nowNanos) {
        if (present != epoch) {
            epoch = present;
            lag = new LagClock();
            end = Lsn.NONE;
        }
        end = Lsn.max(end, Lsn.max(said.get(), delivered));
        if (flushed.isNone() || end.isNone()) {
            return Behind.UNKNOWN;
        }
        lag.written(end, nowNanos);
        lag.flushed(flushed);
        return new Behind(Math.max(0, end.minus(flushed)), lag.nanos(nowNanos) / 1_000_000);
    }
}
