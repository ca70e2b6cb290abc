package io.quantadb.node.coordinator;

import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.ServerState;
import io.quantadb.node.common.Lsn;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** What the coordinator asks of the SQL front. Called on the core thread; must return at once. */
public interface FrontGate {
    /** Serve clients as the primary of this epoch, under the lease. */
    void open(long epoch);

    /** Stop forwarding and cut every session of the primary. */
    void close(String reason);

    /** Begin no transaction for anybody; tell when none is under way any more but those idle for {@code patience}. */
    void drain(long round, Duration patience);

    /** Begin them again. */
    void resume();

    /** The lease of the epoch that this node serves is good until then, on this node's monotonic clock. */
    void lease(long epoch, long untilNanos);

    /** Hold every answer until the voice has passed this position. */
    void holdAnswers(Lsn until);

    /** Where the primary is now and what the local server does, for routing and for hints. */
    void view(@Nullable ClusterState state, ServerState server);
}
