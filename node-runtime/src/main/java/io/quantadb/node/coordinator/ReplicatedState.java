package io.quantadb.node.coordinator;

import static io.quantadb.node.common.LogKeys.CLUSTER;
import static io.quantadb.node.common.LogKeys.REASON;

import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.ClusterVersion;
import io.quantadb.node.cluster.Command;
import io.quantadb.node.cluster.CommandCodec;
import io.quantadb.node.cluster.ProtocolRules;
import io.quantadb.node.cluster.StateCodec;
import io.quantadb.node.cluster.Transitions;
import io.quantadb.node.consensus.StateMachine;
import java.util.function.BiConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The cluster state as Raft's state machine: applies committed commands and tells each new state. Written on the core
 * thread; {@link #current} may be read by any.
 */
public final class ReplicatedState implements StateMachine {
    private static final Logger LOGGER = LoggerFactory.getLogger(ReplicatedState.class);

    private final Transitions transitions = new Transitions(new ProtocolRules());
    private final BiConsumer<ClusterState, Long> onApplied;
    private volatile ClusterState current = ClusterState.EMPTY;

    /** @param onApplied told after each command and restore, with the index, on the core thread */
    public ReplicatedState(BiConsumer<ClusterState, Long> onApplied) {
        this.onApplied = onApplied;
    }

    public ClusterState current() {
        return current;
    }

    @Override
    public void apply(long index, long term, byte[] command) {
        if (command.length > 0) {
            Command decoded = CommandCodec.decode(command);
            Transitions.Result result = transitions.apply(current, decoded);
            current = ClusterVersion.readable(result.state());
            if (result.refused() != null) {
                LOGGER.atDebug()
                        .addMarker(CLUSTER)
                        .addKeyValue("command", decoded.getClass().getSimpleName())
                        .addKeyValue(REASON, result.refused())
                        .log("command changed nothing");
            }
        }
        onApplied.accept(current, index);
    }

    @Override
    public byte[] snapshot() {
        return StateCodec.encode(current);
    }

    @Override
    public void restore(long index, byte[] state) {
        current = ClusterVersion.readable(StateCodec.decode(state));
        onApplied.accept(current, index);
    }
}
