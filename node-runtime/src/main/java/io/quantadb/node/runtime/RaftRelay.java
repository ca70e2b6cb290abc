package io.quantadb.node.runtime;

import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import io.quantadb.node.consensus.RaftListener;
import io.quantadb.node.consensus.RaftStatus;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Lets Raft be built before the one that listens to it; it is set before Raft starts. */
final class RaftRelay implements RaftListener {
    private volatile @Nullable RaftListener target;

    void to(RaftListener listener) {
        target = listener;
    }

    private RaftListener target() {
        RaftListener t = target;
        if (t == null) {
            throw new IllegalStateException("raft was started before its listener was set");
        }
        return t;
    }

    @Override
    public void onChanged(RaftStatus status) {
        target().onChanged(status);
    }

    @Override
    public void onLease(long untilNanos) {
        target().onLease(untilNanos);
    }

    @Override
    public void onTick(long nowNanos) {
        target().onTick(nowNanos);
    }

    @Override
    public void onPace(long tickLateNanos, Map<NodeId, Long> answersNanos) {
        target().onPace(tickLateNanos, answersNanos);
    }

    @Override
    public void onRegressed(PeerId peer) {
        target().onRegressed(peer);
    }

    @Override
    public void onFault(Throwable fault) {
        target().onFault(fault);
    }
}
