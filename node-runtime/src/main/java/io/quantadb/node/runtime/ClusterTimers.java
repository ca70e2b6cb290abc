package io.quantadb.node.runtime;

import static io.quantadb.node.common.LogKeys.CLUSTER;

import io.quantadb.node.cli.ExitCode;
import io.quantadb.node.cli.Failure;
import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.Timers;
import io.quantadb.node.config.NodeConfig;
import io.quantadb.node.config.RaftConfig;
import io.quantadb.node.coordinator.FactStore;
import io.quantadb.node.coordinator.NodeFacts;
import java.time.Duration;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which timers this node runs consensus with: those of its cluster, which stand on its disk since it was formed or
 * joined. Its own configuration decides only while it forms one. {@link #onState} is called on the thread that applies.
 */
final class ClusterTimers {
    private static final Logger LOGGER = LoggerFactory.getLogger(ClusterTimers.class);
    private static final int KEEP_ENTRIES = 100;

    private final Timers running;
    private final FactStore store;
    private final Consumer<Throwable> onFault;
    private boolean agreed;

    private ClusterTimers(Timers running, FactStore store, Consumer<Throwable> onFault) {
        this.running = running;
        this.store = store;
        this.onFault = onFault;
    }

    /** Says so when the configuration wants other timers than the cluster's. */
    static ClusterTimers of(NodeConfig config, NodeFacts member, FactStore store, Consumer<Throwable> onFault) {
        Timers wanted = configured(config);
        Timers known = member.timers();
        if (known != null && !known.equals(wanted)) {
            LOGGER.atWarn()
                    .addMarker(CLUSTER)
                    .addKeyValue("configured", wanted)
                    .addKeyValue("used", known)
                    .log(
                            "cluster.raft timers of this node differ from the cluster's, which are used: they were set when "
                                    + "the cluster was formed; make this node's configuration agree");
        }
        return new ClusterTimers(known == null ? wanted : known, store, onFault);
    }

    /** What the configuration says, in whole milliseconds. */
    static Timers configured(NodeConfig config) {
        RaftConfig r = config.cluster().raft();
        int min = (int) r.electionTimeout().toMillis();
        int max = (int) Math.max(min + 1L, r.electionTimeoutMax().toMillis());
        return Timers.of((int) r.heartbeatInterval().toMillis(), min, max);
    }

    Timers running() {
        return running;
    }

    io.quantadb.node.raft.RaftConfig raft(NodeConfig config) {
        int maxLogEntries = config.cluster().raft().maxLogEntries();
        return io.quantadb.node.raft.RaftConfig.of(
                        Duration.ofMillis(running.electionTimeoutMinMillis()),
                        Duration.ofMillis(running.electionTimeoutMaxMillis()),
                        Duration.ofMillis(running.heartbeatMillis()),
                        Duration.ofMillis(running.leaseMillis()))
                .withLog(maxLogEntries, Math.min(KEEP_ENTRIES, maxLogEntries));
    }

    /**
     * A disk from before timers were written beside its identity learns them here; when it ran with others it must not
     * go on, since its promises not to vote were too short or its leases too long.
     */
    void onState(ClusterState state) {
        if (agreed || !state.bootstrapped()) {
            return;
        }
        agreed = true;
        Timers cluster = state.settings().timers();
        store.timers(cluster, () -> {
            if (!cluster.equals(running)) {
                onFault.accept(new Failure(
                        ExitCode.CONFIG,
                        "this node ran with other cluster.raft timers (%s) than its cluster (%s)"
                                .formatted(running, cluster),
                        "start it again: the cluster's are on its disk now and will be used"));
            }
        });
    }
}
