package io.quantadb.node.runtime;

import io.quantadb.node.cluster.ClusterVersion;
import io.quantadb.node.cluster.Command;
import io.quantadb.node.cluster.CommandCodec;
import io.quantadb.node.cluster.Member;
import io.quantadb.node.cluster.MemberKind;
import io.quantadb.node.cluster.MemberState;
import io.quantadb.node.cluster.Settings;
import io.quantadb.node.cluster.Timers;
import io.quantadb.node.cluster.Tuning;
import io.quantadb.node.config.NodeConfig;
import io.quantadb.node.consensus.RaftNode;
import io.quantadb.node.consensus.RaftStatus;
import io.quantadb.node.coordinator.NodeFacts;
import io.quantadb.node.coordinator.ReplicatedState;
import io.quantadb.node.wal.ControlFile;

/** Writes the first entry of a cluster that this node forms. Core thread. */
final class Founding {
    private final NodeConfig config;
    private final NodeFacts me;
    private final ReplicatedState state;
    private final RaftNode raft;
    private final Timers timers;
    private boolean bootstrapping;

    Founding(NodeConfig config, NodeFacts me, ReplicatedState state, RaftNode raft, Timers timers) {
        this.config = config;
        this.me = me;
        this.state = state;
        this.raft = raft;
        this.timers = timers;
    }

    /** The first entry of a new cluster; again after a crash between forming it and this. */
    void onStatus(RaftStatus status) {
        if (!status.ownTermApplied() || state.current().bootstrapped() || bootstrapping) {
            return;
        }
        bootstrapping = true;
        Member first = new Member(
                me.self(),
                me.generation(),
                MemberKind.DATA,
                MemberState.VOTER,
                NodeIdentity.addresses(config),
                config.cluster().place(),
                config.cluster().priority(),
                false);
        raft.propose(
                CommandCodec.encode(
                        new Command.Bootstrap(
                                me.clusterId(),
                                me.systemIdentifier(),
                                ClusterVersion.NEWEST,
                                first,
                                timeline(),
                                settings()),
                        ClusterVersion.NEWEST),
                outcome -> bootstrapping = false);
    }

    /** Adopted data may have had several lives; no server has run on any since their last checkpoint. */
    private int timeline() {
        return ControlFile.read(config.postgresDataDir()).checkpointTimeline();
    }

    private Settings settings() {
        Settings.Mode mode = switch (config.cluster().replication().commitMode()) {
            case QUORUM -> Settings.Mode.QUORUM;
            case ALL -> Settings.Mode.ALL;
            case ASYNC -> Settings.Mode.ASYNC;
        };
        var failover = config.cluster().failover();
        Tuning tuning = Tuning.of(timers)
                .withElectionLimit(
                        (int) config.cluster().raft().electionTimeoutLimit().toMillis())
                .withMoveDelay((int) failover.moveDelay().toMillis())
                .withAcrossRegions(failover.acrossRegions())
                .withSlowAfter(
                        (int) config.cluster().replication().slowStandbyAfter().toMillis());
        return new Settings(mode, Settings.Policy.BLOCK, timers).withTuning(tuning);
    }
}
