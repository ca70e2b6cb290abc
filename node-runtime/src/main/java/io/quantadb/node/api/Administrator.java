package io.quantadb.node.api;

import io.quantadb.node.cluster.Action;
import io.quantadb.node.cluster.AdminRequest;
import java.util.concurrent.CompletableFuture;

/** Takes the requests that change a running cluster. */
@FunctionalInterface
public interface Administrator {
    /**
     * Passes it to whoever decides. Never throws; the future ends within {@link ApiServer#CHANGE_DEADLINE}, on any thread.
     *
     * @param caller for the log
     */
    CompletableFuture<Outcome> ask(AdminRequest request, String caller);

    /**
     * What came of it.
     *
     * @param verdict {@code NOT_LEADER} when no leader was found in time
     * @param words for people; empty when there is nothing to add
     */
    record Outcome(Action.AdminVerdict verdict, String words) {}

    /** Refuses everything: of a node without a cluster. */
    static Administrator none() {
        return (request, caller) -> CompletableFuture.completedFuture(
                new Outcome(Action.AdminVerdict.REFUSED, "this node is no member of a cluster"));
    }
}
