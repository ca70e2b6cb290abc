package io.quantadb.node.runtime;

import io.quantadb.node.api.Administrator;
import io.quantadb.node.api.Switchovers;
import io.quantadb.node.cluster.Action;
import io.quantadb.node.cluster.AdminRequest;
import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.SwitchoverReport;
import io.quantadb.node.cluster.SwitchoverRequest;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.coordinator.SwitchoverBoard;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Makes requests for a switchover, from the API or from a node that stops, of what the replicated state says, and keeps
 * what the leader tells of the last few, whoever asked for them. Any thread.
 */
final class SwitchoverDesk implements Switchovers, SwitchoverBoard {
    private static final int KEPT_MAX = 8;

    private final RandomGenerator random;
    private final Administrator administrator;
    private volatile Supplier<ClusterState> state = () -> ClusterState.EMPTY;
    /** The newest first. */
    private volatile List<SwitchoverReport> kept = List.of();

    SwitchoverDesk(RandomGenerator random, Administrator administrator) {
        this.random = random;
        this.administrator = administrator;
    }

    /** From here on it is known who is primary. */
    void attach(Supplier<ClusterState> current) {
        state = current;
    }

    @Override
    public CompletableFuture<Begun> begin(Wanted wanted, String caller) {
        return ask(wanted, caller, false);
    }

    /** @param leaving this node is the primary and ends afterwards */
    CompletableFuture<Begun> ask(Wanted wanted, String caller, boolean leaving) {
        ClusterState now = state.get();
        Long epoch = wanted.epoch();
        var request = new SwitchoverRequest(
                random.nextLong(),
                epoch == null ? now.epoch() : epoch,
                wanted.target(),
                (int) wanted.timeout().toMillis(),
                (int) wanted.drain().toMillis(),
                leaving);
        NodeId from = now.primary();
        return administrator.ask(new AdminRequest.Switchover(request), caller).thenApply(outcome -> {
            boolean begun = outcome.verdict() == Action.AdminVerdict.ACCEPTED;
            return from == null || !begun
                    ? new Begun(outcome, null)
                    : new Begun(outcome, known(request, from, new NodeId(outcome.words())));
        });
    }

    /** The leader's own words may come after its answer. */
    private SwitchoverReport known(SwitchoverRequest request, NodeId from, NodeId heir) {
        return byId(request.id())
                .orElseGet(() -> new SwitchoverReport(
                        request.id(), SwitchoverReport.Phase.PREPARING, from, heir, request.epoch(), "", -1, 0));
    }

    @Override
    public @Nullable SwitchoverReport last() {
        List<SwitchoverReport> now = kept;
        return now.isEmpty() ? null : now.getFirst();
    }

    @Override
    public Optional<SwitchoverReport> byId(long id) {
        return kept.stream().filter(r -> r.id() == id).findFirst();
    }

    /** Core thread, the only writer. */
    @Override
    public void show(SwitchoverReport report) {
        kept = Stream.concat(Stream.of(report), kept.stream().filter(r -> r.id() != report.id()))
                .limit(KEPT_MAX)
                .toList();
    }
}
