package io.quantadb.node.front;

import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import org.jspecify.annotations.Nullable;

/**
 * What this node's front may do, as decided by the coordinator: one immutable value, replaced as a whole.
 *
 * @param mode what the PostgreSQL beside us is, to clients
 * @param epoch the epoch in which it is primary; 0 unless {@code PRIMARY}
 * @param reason words for clients that must wait or be refused, without a full stop
 * @param primary where the current primary is, as far as known, this node included
 */
public record FrontView(
        Mode mode, long epoch, String reason, @Nullable Primary primary) {
    /** What clients may have of the PostgreSQL beside us. */
    public enum Mode {
        /** Nothing: it is starting, being promoted, not released, fenced or stopped. */
        CLOSED,
        /** Reads, on the {@code local} listener. */
        STANDBY,
        /** Everything, while the lease is held. */
        PRIMARY
    }

    /** The current primary: its name, where its agent takes streams, and its {@code local} SQL address for hints. */
    public record Primary(NodeId node, HostPort replication, HostPort sql) {}

    public FrontView {
        if ((mode == Mode.PRIMARY) != (epoch > 0)) {
            throw new IllegalArgumentException("epoch %d does not go with mode %s".formatted(epoch, mode));
        }
    }

    public static FrontView closed(String reason, @Nullable Primary primary) {
        return new FrontView(Mode.CLOSED, 0, reason, primary);
    }

    public static FrontView standby(@Nullable Primary primary) {
        return new FrontView(Mode.STANDBY, 0, "this node is a replica", primary);
    }

    /** A standby without contact to anybody who could say who is primary. */
    public static FrontView alone(String reason) {
        return new FrontView(Mode.STANDBY, 0, reason, null);
    }

    public static FrontView primary(long epoch, Primary self) {
        return new FrontView(Mode.PRIMARY, epoch, "this node is the primary", self);
    }
}
