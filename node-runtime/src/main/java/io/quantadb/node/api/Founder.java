package io.quantadb.node.api;

import java.util.concurrent.CompletableFuture;

/** What {@code POST /cluster/bootstrap} asks for: the one-time permission to found a cluster. */
@FunctionalInterface
public interface Founder {
    /**
     * Founds a cluster here, or tells which one this node belongs to. Never throws; the future ends within
     * {@link ApiServer#CHANGE_DEADLINE}, on any thread.
     *
     * @param uid the name that the caller gives the cluster, 1 to 64 letters, digits and {@code -}
     * @param caller for the log
     */
    CompletableFuture<Outcome> found(String uid, String caller);

    /** Refuses everything: of a node that is not told to wait for a permission. */
    static Founder none(String why) {
        return (uid, caller) -> CompletableFuture.completedFuture(new Outcome.Refused(why, "set cluster.mode to auto"));
    }

    /** What came of it. */
    sealed interface Outcome {
        /**
         * The cluster exists.
         *
         * @param systemIdentifier PostgreSQL's, an unsigned number
         * @param founded by this very call
         */
        record Exists(String clusterId, long systemIdentifier, boolean founded) implements Outcome {}

        /** Founding has begun and goes on; the same call later tells how it ended. */
        record Underway() implements Outcome {}

        /** Nothing was changed: another cluster, a silent peer, another founder. */
        record Refused(String why, String hint) implements Outcome {}

        /** This node cannot tell yet. */
        record NotYet(String why) implements Outcome {}
    }
}
