package io.quantadb.node.api;

import io.quantadb.node.cluster.Action;
import io.quantadb.node.cluster.SwitchoverReport;
import io.quantadb.node.common.NodeId;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** What {@code POST /cluster/switchover} asks for, and {@code GET} tells of it. Any thread, never waits. */
public interface Switchovers {
    /**
     * Asks the leader, wherever it is, to move the primary.
     *
     * @param caller for the log
     * @return begun or refused; ends within {@link ApiServer#CHANGE_DEADLINE}, never exceptionally
     */
    CompletableFuture<Begun> begin(Wanted wanted, String caller);

    /** The switchover that goes on, or the last that this node heard of; null when there was none. */
    @Nullable
    SwitchoverReport last();

    /** One of the last few, by the id that {@link #begin} gave it. */
    Optional<SwitchoverReport> byId(long id);

    /**
     * What is wanted.
     *
     * @param target null for the best
     * @param timeout nothing is fenced later than this
     * @param drain how long transactions under way may go on
     * @param epoch whose primary shall give way; null for the epoch that the asked node knows
     */
    record Wanted(
            @Nullable NodeId target,
            Duration timeout,
            Duration drain,
            @Nullable Long epoch) {}

    /**
     * What came of asking.
     *
     * @param outcome {@code NOT_LEADER} when no leader answered in time, and then it may have been begun all the same
     * @param report where it stands, once it was accepted; else null
     */
    record Begun(Administrator.Outcome outcome, @Nullable SwitchoverReport report) {}

    /** Refuses everything: of a node without a cluster. */
    static Switchovers none() {
        return new Switchovers() {
            @Override
            public CompletableFuture<Begun> begin(Wanted wanted, String caller) {
                var refused =
                        new Administrator.Outcome(Action.AdminVerdict.REFUSED, "this node is no member of a cluster");
                return CompletableFuture.completedFuture(new Begun(refused, null));
            }

            @Override
            public @Nullable SwitchoverReport last() {
                return null;
            }

            @Override
            public Optional<SwitchoverReport> byId(long id) {
                return Optional.empty();
            }
        };
    }
}
