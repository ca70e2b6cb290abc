package io.quantadb.node.runtime;

import static io.quantadb.node.common.LogKeys.CLUSTER;
import static io.quantadb.node.common.LogKeys.NODE;

import io.netty.handler.ssl.SslContext;
import io.quantadb.node.api.Administrator;
import io.quantadb.node.api.ApiServer;
import io.quantadb.node.api.ClusterView;
import io.quantadb.node.api.Founder;
import io.quantadb.node.api.Probes;
import io.quantadb.node.cli.ExitCode;
import io.quantadb.node.cli.Failure;
import io.quantadb.node.cluster.MemberKind;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MonotonicClock;
import io.quantadb.node.config.ClientTlsMode;
import io.quantadb.node.config.NodeConfig;
import io.quantadb.node.coordinator.FactStore;
import io.quantadb.node.coordinator.NodeFacts;
import io.quantadb.node.front.FrontConfig;
import io.quantadb.node.front.FrontView;
import io.quantadb.node.front.SqlFront;
import io.quantadb.node.postgres.Bootstrap;
import io.quantadb.node.postgres.DirectoryContents;
import io.quantadb.node.postgres.PostgresServer;
import io.quantadb.node.postgres.ServerExit;
import io.quantadb.node.postgres.ServerListener;
import io.quantadb.node.postgres.StartMode;
import io.quantadb.node.postgres.StopMode;
import io.quantadb.node.transport.NettyTransport;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A node without a cluster ({@code --cluster-mode none}): one PostgreSQL behind the same front and API, nothing
 * replicated, nobody to fail over to. Commits wait for nobody.
 */
final class SingleNode implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(SingleNode.class);
    private static final Duration RECOVERY = Duration.ofHours(24);
    private static final long EPOCH = 1;

    private final NodeConfig config;
    private final MonotonicClock clock;
    private final RandomGenerator random;
    private final Instant started = Instant.now();
    private final CompletableFuture<ExitCode> ended = new CompletableFuture<>();
    private final Closing closing = new Closing();
    private volatile boolean serving;

    SingleNode(NodeConfig config, MonotonicClock clock, RandomGenerator random) {
        this.config = config;
        this.clock = clock;
        this.random = random;
    }

    void start() {
        NodeFiles files = NodeFiles.of(config);
        StartCheck.run(config);
        NettyTransport transport = NodeNetwork.transport(config, clock, random);
        closing.add("transport", transport);
        Supplier<SslContext> clientTls = NodeNetwork.clientTls(config, transport);
        closing.add("certificates", NodeNetwork.watchCertificates(transport));
        NodePostgres.Found found = NodePostgres.find(config);
        closing.add("locks", Steps.at(ExitCode.DATA_DIRECTORY, () -> NodeLocks.acquire(config, found.user())));
        requireOfNoCluster(files);
        NodePostgres postgres = found.prepare(files);
        RunFolder run = new RunFolder(config.runDir());
        run.open();
        closing.add("run folder", run);
        create(files, postgres);
        PostgresServer server = new PostgresServer(postgres.serverConfig(config, files, false), new Ends());
        SqlFront front = new SqlFront(
                FrontConfig.of(
                                config.cluster().nodeId(),
                                new InetSocketAddress(
                                        config.host(), config.ports().sql()),
                                new InetSocketAddress(
                                        config.host(), config.ports().primary()),
                                server.config().socket())
                        .withRequireTls(config.clientTls().mode() == ClientTlsMode.REQUIRE),
                transport.bulkGroup(),
                transport.streams(),
                clientTls,
                epoch -> serving,
                pid -> false,
                ticket -> {},
                clock);
        Steps.run(ExitCode.PORT, front::start);
        closing.add("front", front);
        ApiServer api = new ApiServer(
                config.host(),
                config.ports().api(),
                NodeNetwork.apiTls(transport),
                new ApiServer.Answers(
                        this::view,
                        Probes.of(this::view),
                        Founder.none("this node runs without a cluster"),
                        Administrator.none(),
                        NodeNetwork.apiCallers(config, transport, run, random)));
        Steps.io(ExitCode.PORT, api::start);
        closing.add("api", api);
        closing.add("postgres", () -> server.stop(StopMode.FAST, Duration.ofSeconds(20)));
        Steps.run(
                ExitCode.POSTGRES,
                "if it is about a setting, correct postgres.parameters or postgres.hba; then start the node again",
                () -> {
                    server.start(StartMode.PRIMARY);
                    server.awaitReady(RECOVERY);
                });
        serving = true;
        var a = NodeIdentity.addresses(config);
        front.setView(FrontView.primary(
                EPOCH,
                new FrontView.Primary(
                        config.cluster().nodeId(),
                        a.replication(),
                        new HostPort(a.sql().host(), a.sql().port()))));
        LOGGER.atInfo()
                .addMarker(CLUSTER)
                .addKeyValue(NODE, config.cluster().nodeId())
                .addKeyValue("sql", a.sql())
                .log("single node started");
    }

    /** What would be written here alone no other member would ever have, and a cluster that lives would undo it. */
    private void requireOfNoCluster(NodeFiles files) {
        if (!Files.exists(files.facts())) {
            return;
        }
        NodeFacts facts;
        try (FactStore store = Steps.at(ExitCode.DATA_DIRECTORY, () -> new FactStore(files.facts(), fault -> {}))) {
            facts = store.facts();
        }
        if (facts != null && facts.isMember()) {
            throw new Failure(
                    ExitCode.DATA_DIRECTORY,
                    "%s is the disk of node %s of cluster %s, and without --cluster-mode it would run apart from it"
                            .formatted(config.dataDir(), facts.node(), facts.clusterId()),
                    "start it with the --cluster-mode, or the --config, with which it ran before");
        }
    }

    private void create(NodeFiles files, NodePostgres postgres) {
        DirectoryContents contents =
                postgres.directory().inspect(postgres.binaries().major(), null);
        switch (contents) {
            case DirectoryContents.Refused(String why) -> throw new Failure(ExitCode.DATA_DIRECTORY, why, "");
            case DirectoryContents.Incomplete() ->
                throw new Failure(
                        ExitCode.DATA_DIRECTORY,
                        "%s holds a data directory that was never completed"
                                .formatted(postgres.directory().path()),
                        "remove it and start again");
            case DirectoryContents.Empty() -> {
                NodeIdentity.requirePasswords(config);
                Bootstrap bootstrap = new Bootstrap(postgres.binaries(), postgres.user(), files.postgresPrivate());
                Steps.creating(() -> bootstrap.create(postgres.directory(), NodeIdentity.wanted(config)));
            }
            case DirectoryContents.Cluster cluster -> {
                if (cluster.standby()) {
                    throw new Failure(
                            ExitCode.DATA_DIRECTORY,
                            "%s is a standby's data directory"
                                    .formatted(postgres.directory().path()),
                            "start the node as the member of its cluster that it was");
                }
            }
        }
    }

    private ClusterView view() {
        return new ClusterView(
                config.cluster().nodeId(),
                started,
                Duration.between(started, Instant.now()).toSeconds(),
                ClusterView.Role.PRIMARY,
                serving ? ClusterView.State.ACTIVE : ClusterView.State.STARTING,
                NodeIdentity.addresses(config),
                new ClusterView.Raft(ClusterView.RaftState.NONE, 0, null, 0, 0),
                config.cluster().nodeId(),
                0,
                0,
                Lsn.NONE,
                "none",
                null,
                ClusterView.Membership.MEMBER,
                "",
                List.of(self()),
                null,
                false,
                serving,
                serving,
                serving,
                serving ? "" : "PostgreSQL is starting");
    }

    /** The only member there is; what is replicated is not known, since nothing is. */
    private ClusterView.Member self() {
        boolean well = serving;
        return new ClusterView.Member(
                config.cluster().nodeId(),
                MemberKind.DATA,
                ClusterView.Role.PRIMARY,
                well ? ClusterView.State.ACTIVE : ClusterView.State.STARTING,
                well ? ClusterView.Health.HEALTHY : ClusterView.Health.UNKNOWN,
                false,
                false,
                false,
                false,
                NodeIdentity.addresses(config),
                0,
                0,
                0,
                Lsn.NONE,
                0,
                0,
                0,
                config.cluster().priority(),
                config.cluster().place());
    }

    private final class Ends implements ServerListener {
        @Override
        public void onReady(StartMode mode) {}

        @Override
        public void onExit(ServerExit exit) {
            serving = false;
            if (!exit.asked()) {
                LOGGER.atError()
                        .addMarker(CLUSTER)
                        .addKeyValue("how", exit.how())
                        .log("PostgreSQL ended; the node stops");
                ended.complete(ExitCode.POSTGRES);
            }
        }

        @Override
        public void onWaitCancelled() {}
    }

    ExitCode awaitEnd() {
        return ended.join();
    }

    void stop() {
        ended.complete(ExitCode.OK);
    }

    @Override
    public void close() {
        closing.close();
    }
}
