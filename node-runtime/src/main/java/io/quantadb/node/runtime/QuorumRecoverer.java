package io.quantadb.node.runtime;

import io.quantadb.node.cli.ExitCode;
import io.quantadb.node.cli.Failure;
import io.quantadb.node.cli.QuorumRecovery;
import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.Member;
import io.quantadb.node.cluster.MemberKind;
import io.quantadb.node.cluster.Position;
import io.quantadb.node.config.NodeConfig;
import io.quantadb.node.config.NodeMode;
import io.quantadb.node.coordinator.FactStore;
import io.quantadb.node.coordinator.NodeFacts;
import io.quantadb.node.postgres.PostgresServer;
import io.quantadb.node.postgres.ServerExit;
import io.quantadb.node.postgres.ServerListener;
import io.quantadb.node.postgres.StartMode;
import io.quantadb.node.transport.NettyTransport;
import io.quantadb.node.wal.WalEnd;
import io.quantadb.node.wal.WalReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Makes a new cluster of a stopped node's disk:
 *
 * <ol>
 *   <li>the disk is locked, so that no agent runs on it; the last state is read from its Raft log, the end of its WAL from
 *       its data;
 *   <li>the other members are asked: where enough of them answer for a majority, or one knows a leader, nothing is done;
 *   <li>a Raft group of this node alone, as another incarnation, is written beside the old one ({@link RecoveredLog});
 *   <li>the node's facts get the new cluster's name: from here on it is of that cluster; then the new log takes the place
 *       of the old one, which is kept.
 * </ol>
 *
 * <p>Ended in between, the node does not start until the command was given once more.
 */
public final class QuorumRecoverer implements QuorumRecovery {
    private final RandomGenerator random;

    /** The program's own, made by {@link java.util.ServiceLoader}. */
    public QuorumRecoverer() {
        this(new SecureRandom());
    }

    QuorumRecoverer(RandomGenerator random) {
        this.random = random;
    }

    /** What a node does not start without. */
    static void requireDone(NodeFiles files) {
        if (Files.exists(RecoveredLog.of(files).fresh())) {
            throw new Failure(
                    ExitCode.DATA_DIRECTORY,
                    "a recovery from a lost majority was begun in %s and did not come to its end"
                            .formatted(files.raft().getParent()),
                    "give quantadb recover-quorum once more, with this node's flags");
        }
    }

    @Override
    public Plan plan(NodeConfig config) {
        if (config.cluster().mode() == NodeMode.NONE) {
            throw new Failure(
                    ExitCode.CONFIG,
                    "a node alone (cluster.mode none) is in no group that could lose its majority",
                    "give the flags with which the cluster's node is started");
        }
        Closing closing = new Closing();
        try {
            return plan(config, closing);
        } catch (RuntimeException | Error e) {
            closing.close();
            throw e;
        }
    }

    private Plan plan(NodeConfig config, Closing closing) {
        NodeFiles files = NodeFiles.of(config);
        if (!Files.exists(files.facts())) {
            throw new Failure(
                    ExitCode.DATA_DIRECTORY,
                    "%s is the disk of no cluster's member".formatted(config.dataDir()),
                    "give the flags with which the surviving node is started");
        }
        NodePostgres.Found found = NodePostgres.find(config);
        closing.add("locks", Steps.at(ExitCode.DATA_DIRECTORY, () -> {
            try {
                return NodeLocks.acquire(config, found.user());
            } catch (io.quantadb.node.common.NodeException e) {
                throw new Failure(
                        ExitCode.DATA_DIRECTORY,
                        "a node runs on %s, or another command is at work on it".formatted(config.dataDir()),
                        "stop the node first: quantadb stop --data " + config.dataDir(),
                        e);
            }
        }));
        FactStore store = Steps.at(ExitCode.DATA_DIRECTORY, () -> new FactStore(files.facts(), fault -> {}));
        closing.add("facts", store);
        NodeFacts facts = store.facts();
        if (facts == null || !facts.isMember()) {
            throw new Failure(
                    ExitCode.DATA_DIRECTORY,
                    "%s is the disk of no cluster's member".formatted(config.dataDir()),
                    "empty it, and start the node with the address of a member");
        }
        RecoveredLog log = RecoveredLog.of(files);
        if (log.begunFor(facts.clusterId())) {
            return new Interrupted(log, facts, closing);
        }
        ClusterState before = Steps.at(ExitCode.DATA_DIRECTORY, log::lastState);
        Position end = end(config, files, found.prepare(files));
        Member survivor = survivor(config, before, facts);
        SilentMembers others = ask(config, before, facts);
        return new RecoveryPlan(config, before, facts, survivor, end, others, log, store, random.nextInt(), closing);
    }

    private Member survivor(NodeConfig config, ClusterState before, NodeFacts facts) {
        Member was = before.member(facts.self());
        if (was == null || was.kind() == MemberKind.WITNESS) {
            throw new Failure(
                    ExitCode.REFUSED,
                    was == null
                            ? "this disk's node, %s, is no member by the last state that it knows"
                                    .formatted(facts.node())
                            : "%s is a witness and holds no data".formatted(facts.node()),
                    "recover the node that holds most of the data");
        }
        return RecoveryPlan.survivor(config, was, facts, random.nextLong() & Long.MAX_VALUE);
    }

    /** Where the data ends, for sure: a server that an agent left behind is ended first. */
    private static Position end(NodeConfig config, NodeFiles files, NodePostgres postgres) {
        return Steps.at(ExitCode.DATA_DIRECTORY, () -> {
            new PostgresServer(postgres.serverConfig(config, files, true), new Deaf()).endLeftovers();
            Path data = postgres.directory().path();
            if (postgres.directory().isUnfinished()) {
                throw new Failure(
                        ExitCode.DATA_DIRECTORY,
                        "%s holds data that are not whole, or that were given up for a copy".formatted(data),
                        "recover another node");
            }
            WalEnd end = WalReader.findEnd(data);
            if (!end.sure()) {
                throw new Failure(
                        ExitCode.DATA_DIRECTORY,
                        "the end of the WAL in %s cannot be told: %s".formatted(data, end.reason()),
                        "recover another node");
            }
            return new Position(end.timeline(), end.end());
        });
    }

    private SilentMembers ask(NodeConfig config, ClusterState before, NodeFacts facts) {
        try (NettyTransport transport = NodeNetwork.transport(config, System::nanoTime, random)) {
            Formation formation = new Formation(
                    transport.streams(), System::nanoTime, config.cluster().joinTimeout());
            return SilentMembers.ask(before, facts, formation, NodeIdentity.addresses(config));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Failure(ExitCode.INTERNAL, "interrupted", "", e);
        }
    }

    /** It had its name already, and only moves a folder. */
    private record Interrupted(RecoveredLog log, NodeFacts facts, Closing closing) implements Plan {
        @Override
        public String cluster() {
            return "";
        }

        @Override
        public List<String> words() {
            return List.of("goes on where it was interrupted");
        }

        @Override
        public List<String> carryOut() {
            log.takePlace();
            return new ArrayList<>(RecoveryPlan.next(facts.clusterId(), facts.node()));
        }

        @Override
        public void close() {
            closing.close();
        }
    }

    private static final class Deaf implements ServerListener {
        @Override
        public void onReady(StartMode mode) {}

        @Override
        public void onExit(ServerExit exit) {}

        @Override
        public void onWaitCancelled() {}
    }
}
