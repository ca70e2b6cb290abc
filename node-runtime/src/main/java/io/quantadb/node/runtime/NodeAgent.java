package io.quantadb.node.runtime;

import static io.quantadb.node.common.LogKeys.CLUSTER;
import static io.quantadb.node.common.LogKeys.NODE;

import io.netty.handler.ssl.SslContext;
import io.quantadb.node.api.ApiServer;
import io.quantadb.node.api.KeptSegments;
import io.quantadb.node.cli.ExitCode;
import io.quantadb.node.cli.Failure;
import io.quantadb.node.cluster.ClusterCore;
import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.Event;
import io.quantadb.node.cluster.Position;
import io.quantadb.node.cluster.ServerState;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.MonotonicClock;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.config.NodeConfig;
import io.quantadb.node.config.NodeMode;
import io.quantadb.node.consensus.ControlDispatcher;
import io.quantadb.node.consensus.RaftNode;
import io.quantadb.node.consensus.RaftNodeConfig;
import io.quantadb.node.consensus.RaftStatus;
import io.quantadb.node.coordinator.Coordinator;
import io.quantadb.node.coordinator.FactStore;
import io.quantadb.node.coordinator.NodeFacts;
import io.quantadb.node.coordinator.ReplicatedState;
import io.quantadb.node.coordinator.WalCare;
import io.quantadb.node.relay.VoicePolicy;
import io.quantadb.node.transport.NettyTransport;
import io.quantadb.node.transport.StreamKind;
import io.quantadb.node.wal.DivergedWal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One running node of a cluster. Built in order (files, certificates, ports, identity, consensus, PostgreSQL, front, API)
 * and taken down in the opposite one; {@link #awaitEnd} blocks until a fault or {@link #stop}.
 */
final class NodeAgent implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(NodeAgent.class);

    private final NodeConfig config;
    private final MonotonicClock clock;
    private final RandomGenerator random;
    private final VoicePolicy voice;
    private final Instant started = Instant.now();
    private final NodeFiles files;
    private final CompletableFuture<ExitCode> ended = new CompletableFuture<>();
    private final AtomicReference<@Nullable RaftStatus> raftStatus = new AtomicReference<>();
    private final Closing closing = new Closing();
    /** From here on the voice is closed by us, and nobody is to open it again. */
    private volatile boolean leaving;
    /** The core has missed something and decides nothing any more. */
    private volatile boolean unfit;

    /** From here on the core stops, and hears nothing more. */
    private volatile boolean deaf;

    private final RunFolder runFolder;
    private final BootstrapDesk desk;
    private final AdminDesk admin;
    private final SwitchoverDesk switchovers;
    private final NodeProbes probes;
    private final DivergedWal diverged;
    private final Disowned disowned;
    private volatile @Nullable NodeFacts facts;
    private volatile @Nullable FactStore stored;
    private volatile @Nullable NodeEngine engine;
    private volatile @Nullable ReplicatedState replicated;

    NodeAgent(NodeConfig config, MonotonicClock clock, RandomGenerator random, VoicePolicy voice) {
        this.config = config;
        this.clock = clock;
        this.random = random;
        this.voice = voice;
        this.files = NodeFiles.of(config);
        this.runFolder = new RunFolder(config.runDir());
        this.diverged = new DivergedWal(config.dataDir().resolve("diverged-wal"));
        this.disowned = new Disowned(config.dataDir(), files, random, this::fault, () -> ended.complete(ExitCode.OK));
        this.admin = new AdminDesk(clock);
        this.desk = new BootstrapDesk(config.cluster().mode() == NodeMode.AUTO);
        this.switchovers = new SwitchoverDesk(random, admin);
        this.probes = new NodeProbes(
                clock,
                this::viewed,
                () -> {
                    NodeEngine e = engine;
                    return e == null ? null : e.cloning();
                },
                () -> {
                    NodeEngine e = engine;
                    return e == null ? "" : e.waitsFor();
                });
    }

    /** Brings the node up; throws {@link Failure} or a LocalFault with words for people, and then close() must follow. */
    void start() throws InterruptedException {
        StartCheck.run(config);
        Footprint footprint = Footprint.before(List.of(
                config.dataDir(),
                config.cluster().dataDir(),
                config.runDir(),
                files.sockets().resolve("pg"),
                files.sockets().resolve("wal")));
        closing.add("footprint", footprint);
        NettyTransport transport = NodeNetwork.transport(config, clock, random);
        closing.add("transport", transport);
        Supplier<SslContext> clientTls = NodeNetwork.clientTls(config, transport);
        closing.add("certificates", NodeNetwork.watchCertificates(transport));
        NodePostgres.Found found = NodePostgres.find(config);
        closing.add("locks", Steps.at(ExitCode.DATA_DIRECTORY, () -> NodeLocks.acquire(config, found.user())));
        NodePostgres postgres = found.prepare(files);
        Steps.io(ExitCode.DATA_DIRECTORY, files::create);
        QuorumRecoverer.requireDone(files);
        runFolder.open();
        closing.add("run folder", runFolder);
        FactStore store = Steps.at(ExitCode.DATA_DIRECTORY, () -> new FactStore(files.facts(), this::fault));
        closing.add("facts", store);
        stored = store;
        ControlDispatcher network = new ControlDispatcher(transport.network());
        Rejoin rejoin = Steps.at(ExitCode.DATA_DIRECTORY, () -> new Rejoin(files, store, postgres.directory()));
        Rejoin.Former former = rejoin.former();
        Formation formation = former == null
                ? new Formation(transport.streams(), clock, config.cluster().joinTimeout())
                : Formation.ofOne(former.clusterId(), transport.streams(), clock);
        NodeIdentity identity = postgres.identity(config, files, store, formation, desk, rejoin, clock, random);
        NodeFacts known = identity.known();
        facts = known;
        JoinBook joins = new JoinBook(this::greeting, clock);
        transport.streams().setAcceptor(StreamKind.HELLO, joins::onHello);
        transport.streams().setAcceptor(StreamKind.JOIN, joins::onJoin);
        transport.streams().setAcceptor(StreamKind.MOVED, joins::onMoved);
        Steps.run(ExitCode.PORT, transport.streams()::start);
        ApiServer api = startApi(transport);
        closing.add("api", api);
        NodeFacts member = identity.settle(known);
        footprint.keep();
        facts = member;
        probes.enter(NodeProbes.Stage.STARTING);
        watchGenerations(transport, joins);
        run(new Ground(member, store, transport, clientTls, network, postgres, joins));
    }

    private void watchGenerations(NettyTransport transport, JoinBook joins) {
        List<HostPort> asked = new ArrayList<>(config.otherPeers());
        HostPort first = config.cluster().replication().primaryAddress();
        if (first != null && !asked.contains(first)) {
            asked.add(first);
        }
        var watch = new GenerationWatch(
                this::greeting,
                config.dataDir(),
                new Formation(transport.streams(), clock, config.cluster().joinTimeout()),
                asked,
                new RecoveryMark(config.cluster().dataDir()).read(),
                this::fault);
        joins.watch(watch::onGreeting);
        closing.add("generations", watch);
        watch.start();
    }

    private final AtomicReference<io.quantadb.node.api.@Nullable ClusterView> view = new AtomicReference<>();

    private io.quantadb.node.api.ClusterView viewed() {
        var current = view.get();
        return current == null ? Views.joining(config, started, facts) : current;
    }

    private List<KeptSegments> keptWal() {
        return diverged.list().stream()
                .map(s -> new KeptSegments(
                        s.folder(), s.at(), s.timeline(), s.from(), s.to(), s.segments(), s.ofSegments(), s.bytes()))
                .toList();
    }

    private ApiServer startApi(NettyTransport transport) {
        ApiServer api = new ApiServer(
                config.host(),
                config.ports().api(),
                NodeNetwork.apiTls(transport),
                new ApiServer.Answers(
                        this::viewed,
                        probes,
                        desk,
                        admin,
                        switchovers,
                        NodeNetwork.apiCallers(config, transport, runFolder, random),
                        this::keptWal));
        Steps.io(ExitCode.PORT, api::start);
        return api;
    }

    /** What a start has made before Raft, PostgreSQL and the front are tied together. */
    private record Ground(
            NodeFacts member,
            FactStore store,
            NettyTransport transport,
            @Nullable Supplier<SslContext> clientTls,
            ControlDispatcher network,
            NodePostgres postgres,
            JoinBook joins) {}

    private void run(Ground g) {
        AtomicReference<@Nullable NodeLoop> loop = new AtomicReference<>();
        ClusterTimers timers = ClusterTimers.of(config, g.member(), g.store(), this::fault);
        ReplicatedState state = new ReplicatedState((s, index) -> {
            timers.onState(s);
            remember(s, g.store(), g.transport());
            NodeLoop l = loop.get();
            if (l != null) {
                l.onState(s, index);
            }
        });
        replicated = state;
        RaftRelay relayed = new RaftRelay();
        RaftNode raft = new RaftNode(raftConfig(g.member(), timers), g.network(), state, relayed, clock, random);
        ServingLease lease = new ServingLease(clock);
        AtomicReference<@Nullable Coordinator> core = new AtomicReference<>();
        NodeParts parts = parts(g, lease, core);
        engine = parts.engine();
        ClusterCore decisions = core(g.member(), parts);
        Coordinator coordinator = parts.coordinator(
                decisions,
                raft,
                g.network(),
                state,
                g.store(),
                g.joins(),
                admin,
                switchovers,
                g.member().node(),
                this::unfit);
        core.set(coordinator);
        Heard heard = new Heard(() -> state.current().settings().heartbeatMillis());
        FedMembers fed = new FedMembers();
        WalCare walCare = parts.walCare(g.member().node(), g.network(), state, raftStatus::get, fed);
        Views views = new Views(
                config,
                g.member().clusterId(),
                started,
                clock,
                decisions,
                state,
                parts,
                lease,
                heard,
                walCare::lost,
                fed,
                new OwnLag(walCare::primaryEnd));
        OwnHealth own = OwnHealth.watch(config, parts.server(), clock, coordinator::handle);
        NodeLoop node = loop(g.member(), coordinator, raft, state, timers, views, heard, own::look, parts.gate());
        loop.set(node);
        relayed.to(node);
        listen(g.network(), node, heard);
        g.joins().attach(coordinator::post);
        admin.attach(coordinator::post, g.network());
        walCare.start();
        closing.add("wal care", walCare);
        closing.add("own health", own);
        switchovers.attach(state::current);
        startParts(g, parts, raft);
        watchBelonging(g, state, heard);
        closing.add("network", () -> goDeaf(g.network(), node, heard));
        probes.enter(NodeProbes.Stage.RUNNING);
        closing.add("hand-over", () -> leave(g.member().node(), parts, state, coordinator));
        LOGGER.atInfo()
                .addMarker(CLUSTER)
                .addKeyValue(NODE, g.member().node())
                .addKeyValue("cluster", g.member().clusterId())
                .addKeyValue("sql", config.advertised(config.ports().sql()))
                .log("node started");
    }

    private RaftNodeConfig raftConfig(NodeFacts member, ClusterTimers timers) {
        return new RaftNodeConfig(files.raft(), member.self(), member.clusterHash(), timers.raft(config))
                .withFlushInterval(config.cluster().raft().flushInterval());
    }

    private static void listen(ControlDispatcher network, NodeLoop node, Heard heard) {
        network.register(ControlDispatcher.COORD, (from, payload, at) -> node.onCoordMessage(from, payload));
        network.watch(heard);
        network.watch(node);
    }

    private void goDeaf(ControlDispatcher network, NodeLoop node, Heard heard) {
        deaf = true;
        network.unwatch(node);
        network.unwatch(heard);
        network.unregister(ControlDispatcher.COORD);
        network.unregister(ControlDispatcher.ADMIN);
    }

    private void leave(NodeId self, NodeParts parts, ReplicatedState state, Coordinator coordinator)
            throws InterruptedException {
        probes.enter(NodeProbes.Stage.STOPPING);
        leaving = true;
        if (!unfit) {
            // A core that hears nothing hands nothing over; its heartbeats must end at once.
            new HandOver(self, parts, state::current, raftStatus::get, switchovers, coordinator::post).run();
        }
    }

    private NodeParts parts(Ground g, ServingLease lease, AtomicReference<@Nullable Coordinator> core) {
        NodeParts parts = NodeParts.build(
                config,
                files,
                g.member(),
                g.transport(),
                g.postgres(),
                lease,
                clock,
                voice,
                diverged,
                g.clientTls(),
                event -> {
                    Coordinator c = core.get();
                    if (c != null && !(leaving && (deaf || event instanceof Event.VoiceClosed))) {
                        c.post(event);
                    }
                });
        closing.add("relay", parts.relay());
        closing.add("postgres", parts::stopPostgres);
        closing.add("front", parts.front());
        return parts;
    }

    private ClusterCore core(NodeFacts member, NodeParts parts) {
        Position end = parts.endOnDisk();
        return new ClusterCore(
                new ClusterCore.Start(
                        member.self(),
                        member.generation(),
                        member.promise(),
                        parts.hasData() ? ServerState.DOWN : ServerState.EMPTY,
                        end,
                        random.nextInt()),
                clock.nanos());
    }

    private NodeLoop loop(
            NodeFacts member,
            Coordinator coordinator,
            RaftNode raft,
            ReplicatedState state,
            ClusterTimers timers,
            Views views,
            Heard heard,
            Runnable lookAtItself,
            FrontAdapter gate) {
        HealthWatch health = new HealthWatch(member.node(), heard);
        Founding founding = new Founding(config, member, state, raft, timers.running());
        return new NodeLoop(
                coordinator,
                System::currentTimeMillis,
                status -> {
                    raftStatus.set(status);
                    founding.onStatus(status);
                    disowned.onStatus(status, member);
                },
                this::fault,
                () -> {
                    probes.beat();
                    lookAtItself.run();
                    timers.onTick(clock.nanos(), raft::retime);
                    health.look(state.current().members().keySet(), raftStatus.get(), clock.nanos());
                    gate.contact(heard.leader(raftStatus.get(), clock.nanos()), clock.nanos());
                    view.set(views.now(raftStatus.get()));
                });
    }

    private void startParts(Ground g, NodeParts parts, RaftNode raft) {
        g.transport().network().setPeers(NodeIdentity.raftPeers(g.member().peers()));
        Steps.run(ExitCode.PORT, parts.front()::start);
        Steps.run(ExitCode.INTERNAL, parts.relay()::start);
        Steps.run(ExitCode.DATA_DIRECTORY, raft::start);
        closing.add("raft", raft);
        parts.relay().closeBelow(g.member().promise());
        Steps.run(ExitCode.PORT, g.network()::start);
        parts.readAlong(closing);
        parts.watchPending(closing);
    }

    /** Whom to dial, now and after the next start. */
    private void remember(ClusterState state, FactStore store, NettyTransport transport) {
        Map<NodeId, HostPort> peers = new TreeMap<>();
        Map<NodeId, io.quantadb.node.cluster.Addresses> all = new TreeMap<>();
        state.members().forEach((node, m) -> {
            all.put(node, m.addresses());
            if (!node.equals(config.cluster().nodeId())) {
                peers.put(node, m.addresses().raft());
            }
        });
        if (!peers.isEmpty()) {
            transport.network().setPeers(peers);
            all.remove(config.cluster().nodeId());
            store.peers(NodeIdentity.peers(all));
        }
    }

    private Greeting greeting() {
        FactStore store = stored;
        NodeFacts me = facts != null || store == null ? facts : store.facts();
        ReplicatedState state = replicated;
        RaftStatus raft = raftStatus.get();
        Map<String, String> extra = state == null || !state.current().bootstrapped()
                ? Greeting.founding(desk.founding())
                : Greeting.ofMember(state.current(), raft);
        Map<NodeId, io.quantadb.node.cluster.Addresses> members = new TreeMap<>();
        if (state != null) {
            state.current().members().forEach((node, m) -> members.put(node, m.addresses()));
        }
        if (me == null) {
            return new Greeting(config.cluster().nodeId(), 0, "", 0, "", members, extra);
        }
        String leader = raft == null || raft.leader() == null
                ? ""
                : raft.leader().node().value();
        return new Greeting(me.node(), me.incarnation(), me.clusterId(), me.systemIdentifier(), leader, members, extra);
    }

    private void watchBelonging(Ground g, ReplicatedState state, Heard heard) {
        Formation asking =
                new Formation(g.transport().streams(), clock, config.cluster().joinTimeout());
        Whereabouts.watch(
                closing, config, g.member(), state::current, raftStatus::get, heard, clock, g.transport(), g.joins());
        closing.add(
                "belonging",
                new Belonging(
                                g.member().clusterId(),
                                g.member().self(),
                                raftStatus::get,
                                heard,
                                clock,
                                () -> Belonging.others(config, state.current()),
                                address -> asking.hello(address, greeting()))
                        .start(() -> fault(new Failure(
                                ExitCode.IDENTITY,
                                "this node was taken out of the cluster",
                                "empty " + config.dataDir() + " and start it again to have it join as a new member"))));
    }

    /** Not the disk's fault, nor the configuration's. */
    private void unfit(Throwable fault) {
        unfit = true;
        fault(new Failure(
                ExitCode.INTERNAL,
                String.valueOf(fault.getMessage()),
                "start the node again; if it comes back, give it more processor time and report it",
                fault));
    }

    private void fault(Throwable fault) {
        if (fault instanceof Failure failure) {
            LOGGER.atError().addMarker(CLUSTER).log(failure.words());
            ended.complete(failure.code());
        } else {
            LOGGER.atError()
                    .addMarker(CLUSTER)
                    .setCause(fault)
                    .log("this node is unfit and stops: " + fault.getMessage());
            ended.complete(ExitCode.DATA_DIRECTORY);
        }
    }

    /** Blocks until the node must end. */
    ExitCode awaitEnd() {
        return ended.join();
    }

    /** Whether it ended to be started again, as a new incarnation. */
    boolean rejoins() {
        return disowned.rejoins();
    }

    /** Asks the node to end; any thread. */
    void stop() {
        ended.complete(ExitCode.OK);
    }

    @Override
    public void close() {
        closing.close();
    }
}
