package io.quantadb.node.runtime;

import static io.quantadb.node.common.LogKeys.CLUSTER;
import static io.quantadb.node.common.LogKeys.NODE;
import static io.quantadb.node.common.LogKeys.REASON;

import io.quantadb.node.adopt.Adoption;
import io.quantadb.node.api.Founder;
import io.quantadb.node.cli.ExitCode;
import io.quantadb.node.cli.Failure;
import io.quantadb.node.cluster.Addresses;
import io.quantadb.node.cluster.ClusterVersion;
import io.quantadb.node.cluster.Timers;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.MonotonicClock;
import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.config.BootstrapConfig;
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
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who this node is and how it came to its cluster: known from its disk, formed (once, by permission, on an empty disk),
 * or let in by a leader. Runs once, on the starting thread, before Raft starts.
 */
final class NodeIdentity {
    private static final Logger LOGGER = LoggerFactory.getLogger(NodeIdentity.class);
    /** Between two rounds of asking the peers, while a permission is waited for. */
    private static final Duration AUTO_PAUSE = Duration.ofMillis(500);

    private final NodeConfig config;
    private final NodeFiles files;
    private final FactStore store;
    private final DataDirectory directory;
    private final Bootstrap bootstrap;
    private final int major;
    private final Formation formation;
    private final BootstrapDesk desk;
    private final FoundingMark mark;
    private final RandomGenerator random;
    private final Rejoin rejoin;
    private final MonotonicClock clock;
    /** Where the data come from, when they were there before the cluster; null for none. */
    private final @Nullable Adoption adopted;

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
            BootstrapDesk desk,
            Rejoin rejoin,
            MonotonicClock clock,
            RandomGenerator random) {
        this.config = config;
        this.files = files;
        this.store = store;
        this.directory = directory;
        this.bootstrap = bootstrap;
        this.major = major;
        this.formation = formation;
        this.desk = desk;
        this.mark = new FoundingMark(config.cluster().dataDir());
        this.rejoin = rejoin;
        this.clock = clock;
        this.random = random;
        this.adopted = Steps.at(
                ExitCode.DATA_DIRECTORY, () -> Adoption.read(config.dataDir()).orElse(null));
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
        Optional<String> begun = member || config.cluster().mode() != NodeMode.AUTO ? Optional.empty() : mark.read();
        begun.ifPresent(desk::founding);
        requireAdopted(member);
        boolean forming = adopted != null
                || (facts != null && (config.cluster().mode() == NodeMode.PRIMARY || begun.isPresent()));
        if (contents instanceof DirectoryContents.Cluster && !member && !forming) {
            throw new Failure(
                    ExitCode.DATA_DIRECTORY,
                    "%s holds a PostgreSQL cluster, and %s holds no identity of a node"
                            .formatted(directory.path(), config.cluster().dataDir()),
                    "choose an empty data directory, or have this one taken over with quantadb adopt");
        }
        return facts;
    }

    /** Data that were adopted found a cluster or nothing: joining one would throw them away. */
    private void requireAdopted(boolean member) {
        Adoption before = adopted;
        if (before == null) {
            return;
        }
        if (before.state() != Adoption.State.ADOPTED) {
            throw new Failure(
                    ExitCode.DATA_DIRECTORY,
                    before.state() == Adoption.State.RETURNING
                            ? "%s is being taken back".formatted(before.dataDirectory())
                            : "the adoption of %s is not done".formatted(before.dataDirectory()),
                    before.state() == Adoption.State.RETURNING
                            ? "finish it with quantadb adopt --undo"
                            : "give quantadb adopt again, or take it back with quantadb adopt --undo");
        }
        if (!member && config.cluster().mode() != NodeMode.PRIMARY) {
            throw new Failure(
                    ExitCode.CONFIG,
                    "%s was adopted, and in mode %s this node would join another cluster and lose its data"
                            .formatted(
                                    before.dataDirectory(),
                                    config.cluster().mode().name().toLowerCase(Locale.ROOT)),
                    "start it with --cluster-mode primary, or take it back with quantadb adopt --undo");
        }
    }

    /** Forms a cluster or joins one when the disk belongs to none yet. */
    NodeFacts settle(@Nullable NodeFacts known) throws InterruptedException {
        NodeFacts facts = known;
        interrupted = facts != null;
        if (facts == null) {
            facts = fresh();
        }
        Rejoin.Former former = rejoin.former();
        if (former != null) {
            NodeFacts member = facts.incarnation() == former.next() ? facts : rejoin(facts);
            Steps.run(ExitCode.DATA_DIRECTORY, () -> rejoin.end(member));
            desk.settled(member);
            return member;
        }
        if (facts.isMember()) {
            if (config.cluster().mode() == NodeMode.PRIMARY) {
                LOGGER.atInfo()
                        .addMarker(CLUSTER)
                        .addKeyValue("cluster", facts.clusterId())
                        .log("mode primary is ignored: this disk belongs to a cluster already");
            }
            mark.remove();
            desk.settled(facts);
            return facts;
        }
        NodeFacts member;
        try {
            member = anew(facts);
        } catch (Failure e) {
            if (formation.refused() && !interrupted) {
                // The cluster knows nothing of this incarnation, and the disk is to be as it was.
                store.forget();
            }
            throw e;
        }
        desk.settled(member);
        return member;
    }

    /** Once more as another incarnation where a voter has this one: the disk was put back to before that was let in. */
    private NodeFacts anew(NodeFacts facts) throws InterruptedException {
        try {
            return asConfigured(facts);
        } catch (Failure e) {
            if (!formation.spent()) {
                throw e;
            }
            LOGGER.atWarn().addMarker(CLUSTER).log("asks to be taken in as a new incarnation: " + e.getMessage());
            return asConfigured(fresh());
        }
    }

    private NodeFacts asConfigured(NodeFacts facts) throws InterruptedException {
        return switch (config.cluster().mode()) {
            case PRIMARY -> permitted(facts);
            case AUTO -> auto(facts);
            case REPLICA, NONE -> join(facts);
        };
    }

    private NodeFacts fresh() {
        long incarnation = random.nextLong() & Long.MAX_VALUE;
        return new NodeFacts(config.cluster().nodeId(), Math.max(1, incarnation), "", 0, 1, 0, "", null);
    }

    /** Mode primary is the permission. */
    private NodeFacts permitted(NodeFacts facts) throws InterruptedException {
        requirePasswords(config);
        desk.founding(facts.node().value());
        if (formation.mayForm(config.otherPeers(), greeting(facts, Greeting.founding(desk.founding())))) {
            return form(facts, UUID.randomUUID().toString());
        }
        if (adopted != null) {
            throw new Failure(
                    ExitCode.PEERS,
                    "a listed peer belongs to a cluster, and %s was adopted to found one"
                            .formatted(adopted.dataDirectory()),
                    "correct cluster.peers; joining that cluster would throw these data away");
        }
        desk.founding("");
        return join(facts);
    }

    /** Joins whatever cluster a peer knows; founds one when the permission comes and every peer has answered. */
    private NodeFacts auto(NodeFacts facts) throws InterruptedException {
        NodeFacts self = facts;
        String begun = desk.founding();
        if (!begun.isEmpty()) {
            if (formation.mayForm(config.otherPeers(), greeting(self, Greeting.founding(begun)))) {
                return found(self, begun);
            }
            self = abandon(self);
        }
        // It may wait for long, and its peers are to know it when they hear from it.
        remember(self);
        List<HostPort> addresses = addresses();
        while (true) {
            Greeting welcome = formation.tryJoin(addresses, joining(self));
            if (welcome != null) {
                return joined(self, welcome);
            }
            BootstrapDesk.Attempt attempt = desk.next(AUTO_PAUSE);
            NodeFacts founded = attempt == null ? null : attempt(self, attempt);
            if (founded != null) {
                return founded;
            }
        }
    }

    /** Uses one permission: the peers are told before they are asked, so of two that try at once none goes on. */
    private @Nullable NodeFacts attempt(NodeFacts facts, BootstrapDesk.Attempt attempt) throws InterruptedException {
        desk.founding(attempt.uid());
        Formation.Finding finding =
                formation.look(config.otherPeers(), greeting(facts, Greeting.founding(attempt.uid())));
        if (finding instanceof Formation.Finding.Clear) {
            try {
                NodeFacts member = found(facts, attempt.uid());
                attempt.outcome()
                        .complete(new Founder.Outcome.Exists(member.clusterId(), member.systemIdentifier(), true));
                return member;
            } catch (RuntimeException e) {
                attempt.outcome().completeExceptionally(e);
                throw e;
            }
        }
        desk.founding("");
        Founder.Outcome refused = refusal(attempt.uid(), finding);
        if (refused instanceof Founder.Outcome.Refused(String why, String hint)) {
            LOGGER.atWarn()
                    .addMarker(CLUSTER)
                    .addKeyValue("uid", attempt.uid())
                    .addKeyValue(REASON, why)
                    .log("no cluster was founded");
        }
        attempt.outcome().complete(refused);
        return null;
    }

    private static Founder.Outcome refusal(String uid, Formation.Finding finding) {
        return switch (finding) {
            case Formation.Finding.Known(Greeting member) ->
                BootstrapDesk.known(uid, member.clusterId(), member.systemIdentifier(), false);
            case Formation.Finding.Rival(Greeting founder) ->
                new Founder.Outcome.Refused(
                        "node %s is founding a cluster".formatted(founder.node()),
                        "this node joins it by itself; give the permission to one node only");
            case Formation.Finding.Silent(List<HostPort> silent) ->
                new Founder.Outcome.Refused(
                        "these listed peers have not said that they know of no cluster: "
                                + silent.stream().map(HostPort::toString).collect(Collectors.joining(", ")),
                        "start them, or correct cluster.peers, and ask again");
            case Formation.Finding.Clear() -> throw new IllegalStateException("nothing is in the way");
        };
    }

    private NodeFacts found(NodeFacts facts, String uid) {
        mark.write(uid);
        NodeFacts member = form(facts, "%s.%016x".formatted(uid, random.nextLong()));
        mark.remove();
        return member;
    }

    /**
     * Another cluster came into being before this one did, which nobody has seen: its beginnings are thrown away, and
     * this node is a new incarnation.
     */
    private NodeFacts abandon(NodeFacts facts) {
        LOGGER.atWarn()
                .addMarker(CLUSTER)
                .addKeyValue("uid", desk.founding())
                .log("the cluster that was begun here is given up, since a peer belongs to another");
        desk.founding("");
        directory.create();
        directory.wipeForClone(facts.generation());
        Folders.remove(files.raft());
        NodeFacts next = fresh();
        remember(next);
        mark.remove();
        interrupted = false;
        return next;
    }

    private NodeFacts form(NodeFacts facts, String clusterId) {
        requirePasswords(config);
        LOGGER.atInfo().addMarker(CLUSTER).addKeyValue(NODE, facts.node()).log("forming a new cluster");
        remember(facts);
        DirectoryContents contents = directory.inspect(major, null);
        if (adopted != null && !(contents instanceof DirectoryContents.Cluster)) {
            throw new Failure(
                    ExitCode.DATA_DIRECTORY,
                    "%s was adopted, and is not there any more as it was".formatted(adopted.dataDirectory()),
                    "put it back, or start with another folder");
        }
        if (!(contents instanceof DirectoryContents.Cluster)) {
            directory.wipeForClone(facts.generation());
            Steps.creating(() -> bootstrap.create(directory, wanted(config)));
        }
        long system = ControlFile.read(directory.path()).systemIdentifier();
        Steps.run(ExitCode.DATA_DIRECTORY, () -> beginLog(facts));
        NodeFacts member = facts.withCluster(clusterId, system).withTimers(ClusterTimers.configured(config));
        remember(member);
        return member;
    }

    /** Before anything is made or asked: a new cluster must be what it was asked for from its first moment on. */
    static void requirePasswords(NodeConfig config) {
        Steps.run(ExitCode.CONFIG, () -> Bootstrap.requirePasswords(wanted(config)));
    }

    /** From here on the disk has this identity; before, a start that fails has left none. */
    private void remember(NodeFacts facts) {
        if (!facts.equals(store.facts())) {
            Steps.run(ExitCode.DATA_DIRECTORY, () -> store.put(facts));
        }
    }

    /** What a new cluster is to have from its first moment on. */
    static Bootstrap.Wanted wanted(NodeConfig config) {
        BootstrapConfig b = config.bootstrap();
        return new Bootstrap.Wanted(
                config.postgres().superuser(),
                config.postgres().superuserPasswordFile(),
                16,
                b.database() == null || b.owner() == null
                        ? null
                        : new Bootstrap.Application(b.database(), b.owner(), b.ownerPasswordFile()));
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
        return joined(facts, formation.join(addresses(), joining(facts), () -> remember(facts)));
    }

    /** Whatever its mode says: this disk has had its cluster. */
    private NodeFacts rejoin(NodeFacts facts) throws InterruptedException {
        NodeFacts asking = rejoin.asking(facts);
        List<HostPort> members = rejoin.addresses(facts.node(), addresses());
        return joined(asking, rejoin.join(formation, () -> formation.join(members, joining(asking), () -> {}), clock));
    }

    private List<HostPort> addresses() {
        List<HostPort> addresses = new ArrayList<>();
        HostPort first = config.cluster().replication().primaryAddress();
        if (first != null) {
            addresses.add(first);
        }
        config.otherPeers().stream().filter(p -> !addresses.contains(p)).forEach(addresses::add);
        return addresses;
    }

    private Greeting joining(NodeFacts facts) {
        NodeId upstream = config.cluster().upstream();
        return greeting(
                facts,
                Map.of(
                        "kind",
                        config.cluster().kind().name(),
                        "zone",
                        config.cluster().place(),
                        "priority",
                        Integer.toString(config.cluster().priority()),
                        "upstream",
                        upstream == null ? "" : upstream.value(),
                        Greeting.READS,
                        Integer.toString(ClusterVersion.NEWEST)));
    }

    private NodeFacts joined(NodeFacts facts, Greeting welcome) {
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
