package io.quantadb.node.runtime;

import static io.quantadb.node.common.LogKeys.CLUSTER;
import static io.quantadb.node.common.LogKeys.NODE;

import io.quantadb.node.cli.ExitCode;
import io.quantadb.node.cli.Failure;
import io.quantadb.node.cluster.Addresses;
import io.quantadb.node.cluster.Timers;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.config.NodeConfig;
import io.quantadb.node.config.NodeMode;
import io.quantadb.node.config.Ports;
import io.quantadb.node.consensus.RaftNode;
import io.quantadb.node.coordinator.FactStore;
import io.quantadb.node.coordinator.NodeFacts;
import io.quantadb.node.postgres.Bootstrap;
import io.quantadb.node.postgres.DataDirectory;
import io.quantadb.node.postgres.DirectoryContents;
import io.quantadb.node.wal.ControlFile;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who this node is and how it came to its cluster: known from its disk, formed (once, by permission, on an empty disk),
 * or let in by a leader. Runs once, on the starting thread, before Raft starts.
 */
final class NodeIdentity {
    private static final Logger LOGGER = LoggerFactory.getLogger(NodeIdentity.class);

    private final NodeConfig config;
    private final NodeFiles files;
    private final FactStore store;
    private final DataDirectory directory;
    private final Bootstrap bootstrap;
    private final int major;
    private final Formation formation;
    private final RandomGenerator random;
    /** An earlier start gave this disk its identity and went no further. */
    private boolean interrupted;

    NodeIdentity(
            NodeConfig config,
            NodeFiles files,
            FactStore store,
            DataDirectory directory,
            Bootstrap bootstrap,
            int major,
            Formation formation,
            RandomGenerator random) {
        this.config = config;
        this.files = files;
        this.store = store;
        this.directory = directory;
        this.bootstrap = bootstrap;
        this.major = major;
        this.formation = formation;
        this.random = random;
    }

    /** Where the others reach this node. */
    static Addresses addresses(NodeConfig config) {
        Ports p = config.ports();
        return new Addresses(
                config.advertised(p.sql()),
                config.advertised(p.replication()),
                config.advertised(p.raft()),
                config.advertised(p.api()),
                config.advertised(p.primary()));
    }

    /** Checks what is on disk against what was configured; touches nothing. */
    @Nullable
    NodeFacts known() {
        NodeFacts facts = store.facts();
        NodeId id = config.cluster().nodeId();
        if (facts != null && !facts.node().equals(id)) {
            throw new Failure(
                    ExitCode.IDENTITY,
                    "%s is the disk of node %s, and this node is told to be %s"
                            .formatted(config.dataDir(), facts.node(), id),
                    "give the node its own data directory, or its own node id");
        }
        boolean member = facts != null && facts.isMember();
        DirectoryContents contents = directory.inspect(
                major, facts != null && member && facts.systemIdentifier() != 0 ? facts.systemIdentifier() : null);
        if (contents instanceof DirectoryContents.Refused(String why)) {
            throw new Failure(ExitCode.DATA_DIRECTORY, why, "");
        }
        // With an identity but no cluster yet, it is what forming one left behind when it was interrupted: it goes on.
        boolean forming = facts != null && config.cluster().mode() == NodeMode.PRIMARY;
        if (contents instanceof DirectoryContents.Cluster && !member && !forming) {
            throw new Failure(
                    ExitCode.DATA_DIRECTORY,
                    "%s holds a PostgreSQL cluster, and %s holds no identity of a node"
                            .formatted(directory.path(), config.cluster().dataDir()),
                    "choose an empty data directory; taking over existing data is not there yet");
        }
        return facts;
    }

    /** Forms a cluster or joins one when the disk belongs to none yet. */
    NodeFacts settle(@Nullable NodeFacts known) throws InterruptedException {
        NodeFacts facts = known;
        interrupted = facts != null;
        if (facts == null) {
            long incarnation = random.nextLong() & Long.MAX_VALUE;
            facts = new NodeFacts(config.cluster().nodeId(), Math.max(1, incarnation), "", 0, 1, 0, "", null);
        }
        if (facts.isMember()) {
            if (config.cluster().mode() == NodeMode.PRIMARY) {
                LOGGER.atInfo()
                        .addMarker(CLUSTER)
                        .addKeyValue("cluster", facts.clusterId())
                        .log("mode primary is ignored: this disk belongs to a cluster already");
            }
            return facts;
        }
        return config.cluster().mode() == NodeMode.PRIMARY ? form(facts) : join(facts);
    }

    private NodeFacts form(NodeFacts facts) throws InterruptedException {
        if (!formation.mayForm(config.cluster().peers(), greeting(facts, Map.of()))) {
            return join(facts);
        }
        LOGGER.atInfo().addMarker(CLUSTER).addKeyValue(NODE, facts.node()).log("forming a new cluster");
        remember(facts);
        if (!(directory.inspect(major, null) instanceof DirectoryContents.Cluster)) {
            directory.wipeForClone(facts.generation());
            Steps.creating(() -> bootstrap.create(
                    directory, new Bootstrap.Wanted(config.postgres().superuserPasswordFile(), 16, null)));
        }
        long system = ControlFile.read(directory.path()).systemIdentifier();
        Steps.run(ExitCode.DATA_DIRECTORY, () -> beginLog(facts));
        NodeFacts member =
                facts.withCluster(UUID.randomUUID().toString(), system).withTimers(ClusterTimers.configured(config));
        remember(member);
        return member;
    }

    /** From here on the disk has this identity; before, a start that fails has left none. */
    private void remember(NodeFacts facts) {
        if (!facts.equals(store.facts())) {
            Steps.run(ExitCode.DATA_DIRECTORY, () -> store.put(facts));
        }
    }

    /** A log that was begun before this was interrupted is this incarnation's group of one already. */
    private void beginLog(NodeFacts facts) {
        try {
            RaftNode.bootstrap(files.raft(), facts.self());
        } catch (LocalFault e) {
            if (!interrupted || !RaftNode.exists(files.raft())) {
                throw e;
            }
        }
    }

    private NodeFacts join(NodeFacts facts) throws InterruptedException {
        List<HostPort> addresses = new ArrayList<>();
        HostPort first = config.cluster().replication().primaryAddress();
        if (first != null) {
            addresses.add(first);
        }
        config.cluster().peers().stream().filter(p -> !addresses.contains(p)).forEach(addresses::add);
        Greeting welcome = formation.join(
                addresses,
                greeting(
                        facts,
                        Map.of(
                                "kind", "DATA",
                                "zone", config.cluster().zone(),
                                "priority", Integer.toString(config.cluster().priority()))),
                () -> remember(facts));
        NodeFacts member = facts.withCluster(welcome.clusterId(), welcome.systemIdentifier())
                .withPeers(peers(welcome.members()))
                .withTimers(timers(welcome));
        remember(member);
        LOGGER.atInfo()
                .addMarker(CLUSTER)
                .addKeyValue("cluster", member.clusterId())
                .log("joined the cluster");
        return member;
    }

    /** A voter that does not know them could vote inside a leader's lease, so none begins without. */
    private static Timers timers(Greeting welcome) {
        String text = welcome.extra().get(Greeting.TIMERS);
        if (text == null) {
            throw new LocalFault(
                    "the leader %s let this node in and did not say with which timers the cluster runs: start it with this release first"
                            .formatted(welcome.node()));
        }
        return Timers.parse(text);
    }

    Greeting greeting(NodeFacts facts, Map<String, String> extra) {
        return new Greeting(
                facts.node(),
                facts.incarnation(),
                facts.clusterId(),
                facts.systemIdentifier(),
                "",
                Map.of(facts.node(), addresses(config)),
                extra);
    }

    /** Members' Raft addresses as one line for {@link NodeFacts#peers}. */
    static String peers(Map<NodeId, Addresses> members) {
        StringBuilder text = new StringBuilder();
        new TreeMap<>(members)
                .forEach((id, a) -> text.append(id).append('=').append(a.raft()).append(' '));
        return text.toString().strip();
    }

    static Map<NodeId, HostPort> raftPeers(String text) {
        Map<NodeId, HostPort> peers = new TreeMap<>();
        for (String part : text.split(" ")) {
            int eq = part.indexOf('=');
            if (eq > 0) {
                peers.put(new NodeId(part.substring(0, eq)), HostPort.parse(part.substring(eq + 1)));
            }
        }
        return peers;
    }
}
