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
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which timers this node runs consensus with: those of its cluster, whose election timeout and lease change while it
 * runs. Its own configuration decides only while it forms one.
 *
 * <p>After a restart a node stays away from candidates for the minimum that stands on its disk. So longer timers are
 * used once they are on disk, and shorter ones are written once whatever was promised with the longer is over:
 * <pre>
 *   longer:   write --on disk--> run
 *   shorter:  run --the longer minimum has passed--> write
 * </pre>
 * {@link #onState} and {@link #onTick} are called on the thread that applies.
 */
final class ClusterTimers {
    private static final Logger LOGGER = LoggerFactory.getLogger(ClusterTimers.class);

    private final Timers configured;
    private final FactStore store;
    private final Consumer<Throwable> onFault;
    private Timers running;
    private @Nullable Timers asked;
    /** What was promised with longer timers is over then. */
    private long promisedUntil;

    private boolean lowered;
    private boolean greeted;
    private volatile @Nullable Timers durable;
    private volatile boolean writing;

    private ClusterTimers(Timers configured, @Nullable Timers known, FactStore store, Consumer<Throwable> onFault) {
        this.configured = configured;
        this.running = known == null ? configured : known;
        this.durable = known;
        this.store = store;
        this.onFault = onFault;
    }

    static ClusterTimers of(NodeConfig config, NodeFacts member, FactStore store, Consumer<Throwable> onFault) {
        return new ClusterTimers(configured(config), member.timers(), store, onFault);
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
        RaftConfig r = config.cluster().raft();
        return raft(running).withLog(r.maxLogEntries(), r.resyncThreshold());
    }

    private static io.quantadb.node.raft.RaftConfig raft(Timers t) {
        return io.quantadb.node.raft.RaftConfig.of(
                Duration.ofMillis(t.electionTimeoutMinMillis()),
                Duration.ofMillis(t.electionTimeoutMaxMillis()),
                Duration.ofMillis(t.heartbeatMillis()),
                Duration.ofMillis(t.leaseMillis()));
    }

    /** What the cluster runs with from now on. */
    void onState(ClusterState state) {
        if (!state.bootstrapped()) {
            return;
        }
        Timers wanted = state.settings().timers();
        asked = wanted;
        if (!greeted) {
            greeted = true;
            greet(state, wanted);
        }
    }

    private void greet(ClusterState state, Timers wanted) {
        Timers formed = state.settings()
                .tuning()
                .timers(wanted.heartbeatMillis(), state.settings().tuning().electionBaseMinMillis());
        if (!formed.equals(configured)) {
            LOGGER.atWarn()
                    .addMarker(CLUSTER)
                    .addKeyValue("configured", configured)
                    .addKeyValue("used", formed)
                    .log(
                            "cluster.raft timers of this node differ from the cluster's, which are used: they were set when "
                                    + "the cluster was formed; make this node's configuration agree");
        }
        if (wanted.heartbeatMillis() != running.heartbeatMillis()) {
            // On a disk from before timers were written beside its identity.
            store.timers(
                    wanted,
                    () -> onFault.accept(new Failure(
                            ExitCode.CONFIG,
                            "this node ran with other cluster.raft timers (%s) than its cluster (%s)"
                                    .formatted(running, wanted),
                            "start it again: the cluster's are on its disk now and will be used")));
            asked = null;
        }
    }

    /**
     * The next step on the way to what was asked for, if it is due.
     *
     * @param retime makes consensus run with other timers; core thread
     */
    void onTick(long nowNanos, Consumer<io.quantadb.node.raft.RaftConfig> retime) {
        Timers wanted = asked;
        if (wanted == null) {
            return;
        }
        int min = wanted.electionTimeoutMinMillis();
        if (min > running.electionTimeoutMinMillis()) {
            Timers onDisk = durable;
            if (onDisk == null || onDisk.electionTimeoutMinMillis() < min) {
                write(wanted);
                return;
            }
        } else if (min < running.electionTimeoutMinMillis()) {
            // With a tenth for the drift of clocks.
            long promised = nowNanos + running.electionTimeoutMinMillis() * 1_100_000L;
            promisedUntil = !lowered || promised - promisedUntil > 0 ? promised : promisedUntil;
            lowered = true;
        }
        if (!wanted.equals(running)) {
            LOGGER.atInfo()
                    .addMarker(CLUSTER)
                    .addKeyValue("before", running)
                    .addKeyValue("now", wanted)
                    .log("the timers of the cluster have changed");
            running = wanted;
            retime.accept(raft(wanted));
        }
        if (!wanted.equals(durable) && (!lowered || nowNanos - promisedUntil >= 0)) {
            write(wanted);
        }
    }

    private void write(Timers timers) {
        if (!writing) {
            writing = true;
            store.timers(timers, () -> {
                durable = timers;
                writing = false;
            });
        }
    }
}
