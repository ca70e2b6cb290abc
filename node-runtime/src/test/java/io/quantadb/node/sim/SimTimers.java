package io.quantadb.node.sim;

import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.Timers;
import io.quantadb.node.raft.RaftConfig;
import java.time.Duration;
import java.util.function.Consumer;

/** What a node does about timers that change, as the product does it: longer ones first to disk, shorter ones last. */
final class SimTimers {
    private final SimFacts facts;
    private Timers running;
    private long promisedUntil;

    SimTimers(SimFacts facts) {
        this.facts = facts;
        this.running = facts.timers;
    }

    RaftConfig config(RaftConfig rest) {
        return rest.withTimers(RaftConfig.of(
                Duration.ofMillis(running.electionTimeoutMinMillis()),
                Duration.ofMillis(running.electionTimeoutMaxMillis()),
                Duration.ofMillis(running.heartbeatMillis()),
                Duration.ofMillis(running.leaseMillis())));
    }

    /** The next step, if one is due. */
    void tick(ClusterState state, long local, RaftConfig rest, Consumer<RaftConfig> retime) {
        Timers wanted = state.settings().timers();
        int min = wanted.electionTimeoutMinMillis();
        if (!state.bootstrapped()) {
            return;
        }
        if (min > facts.timers.electionTimeoutMinMillis()) {
            facts.timers = wanted;
            return;
        }
        if (min < running.electionTimeoutMinMillis()) {
            promisedUntil = Math.max(promisedUntil, local + running.electionTimeoutMinMillis() * 11 / 10 * SimWorld.MS);
        }
        if (!wanted.equals(running)) {
            running = wanted;
            retime.accept(config(rest));
        }
        if (local >= promisedUntil) {
            facts.timers = running;
        }
    }
}
