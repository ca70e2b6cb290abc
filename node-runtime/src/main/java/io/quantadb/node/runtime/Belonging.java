package io.quantadb.node.runtime;

import static io.quantadb.node.common.LogKeys.CLUSTER;

import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.MonotonicClock;
import io.quantadb.node.common.PeerId;
import io.quantadb.node.config.NodeConfig;
import io.quantadb.node.consensus.RaftStatus;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds out that this node is a member no more. Nobody speaks to one that was taken out, and who was away then, or never
 * votes, would wait for a leader for ever. So when none was heard for {@link #SILENCE}, the other members are greeted; a
 * leader answers with the members ({@link Roll}), and one whose term is no older than this node's knows. Silence, and
 * answers of others, mean nothing.
 *
 * <p>A thread of its own, until it is closed or has found out.
 */
final class Belonging {
    private static final Logger LOGGER = LoggerFactory.getLogger(Belonging.class);
    static final Duration SILENCE = Duration.ofSeconds(5);
    private static final Duration LOOK_EVERY = Duration.ofSeconds(1);

    /** Greets a node; null for no answer. */
    interface Ask {
        @Nullable
        Greeting hello(HostPort address) throws InterruptedException;
    }

    private final String clusterId;
    private final PeerId self;
    private final Supplier<@Nullable RaftStatus> raft;
    private final Heard heard;
    private final MonotonicClock clock;
    private final Supplier<List<HostPort>> others;
    private final Ask ask;
    private long quietSince;

    /** @param others replication addresses of all that may know */
    Belonging(
            String clusterId,
            PeerId self,
            Supplier<@Nullable RaftStatus> raft,
            Heard heard,
            MonotonicClock clock,
            Supplier<List<HostPort>> others,
            Ask ask) {
        this.clusterId = clusterId;
        this.self = self;
        this.raft = raft;
        this.heard = heard;
        this.clock = clock;
        this.others = others;
        this.ask = ask;
        this.quietSince = clock.nanos();
    }

    AutoCloseable start(Runnable onForgotten) {
        Thread watcher = Thread.ofVirtual().name("quantadb-belonging").start(() -> {
            try {
                while (!look()) {
                    Thread.sleep(LOOK_EVERY);
                }
                onForgotten.run();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        return watcher::interrupt;
    }

    /** One look; true when it is certain that this node belongs to the cluster no more. */
    boolean look() throws InterruptedException {
        RaftStatus status = raft.get();
        long now = clock.nanos();
        if (status == null || leads(status, now)) {
            quietSince = now;
            return false;
        }
        if (now - quietSince < SILENCE.toNanos()) {
            return false;
        }
        LOGGER.atDebug().addMarker(CLUSTER).log("no leader was heard for a while: asking who the members are");
        for (HostPort address : others.get()) {
            Greeting answer = ask.hello(address);
            boolean left = answer != null
                    && answer.clusterId().equals(clusterId)
                    && Roll.parse(answer.extra().get(Roll.KEY))
                            .filter(roll -> roll.leavesOut(self, status.term()))
                            .isPresent();
            if (left) {
                return true;
            }
        }
        quietSince = clock.nanos();
        return false;
    }

    /** Whether this node leads, or its leader was heard lately. */
    private boolean leads(RaftStatus status, long now) {
        PeerId leader = status.leader();
        if (status.isLeader() || leader == null) {
            return status.isLeader();
        }
        long silent = heard.silentMillis(leader.node(), now);
        return silent >= 0 && silent < SILENCE.toMillis();
    }

    /** Who may know whether this node is a member. */
    static List<HostPort> others(NodeConfig config, ClusterState state) {
        Set<HostPort> out = new LinkedHashSet<>();
        state.members().forEach((node, member) -> {
            if (!node.equals(config.cluster().nodeId())) {
                out.add(member.addresses().replication());
            }
        });
        HostPort first = config.cluster().replication().primaryAddress();
        if (first != null) {
            out.add(first);
        }
        out.addAll(config.otherPeers());
        return List.copyOf(out);
    }
}
