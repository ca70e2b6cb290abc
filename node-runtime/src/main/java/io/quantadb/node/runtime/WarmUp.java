package io.quantadb.node.runtime;

import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.quantadb.node.cluster.ClusterCore;
import io.quantadb.node.cluster.ClusterVersion;
import io.quantadb.node.cluster.Command;
import io.quantadb.node.cluster.CommandCodec;
import io.quantadb.node.cluster.Event;
import io.quantadb.node.cluster.Member;
import io.quantadb.node.cluster.MemberKind;
import io.quantadb.node.cluster.MemberState;
import io.quantadb.node.cluster.ServerState;
import io.quantadb.node.cluster.Settings;
import io.quantadb.node.cluster.Timers;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.MonotonicClock;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import io.quantadb.node.consensus.ControlDispatcher;
import io.quantadb.node.consensus.RaftListener;
import io.quantadb.node.consensus.RaftNode;
import io.quantadb.node.consensus.RaftNodeConfig;
import io.quantadb.node.consensus.RaftStatus;
import io.quantadb.node.coordinator.ReplicatedState;
import io.quantadb.node.pki.DevelopmentCa;
import io.quantadb.node.pki.TlsFiles;
import io.quantadb.node.raft.RaftConfig;
import io.quantadb.node.transport.NettyTransport;
import io.quantadb.node.transport.TransportConfig;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarFile;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Loads what a node's run needs, for the build to record: this program's own classes but those of its commands, and by a
 * short exercise those of TLS, Netty and consensus. All in a temporary folder, with no port bound and nothing left behind;
 * what fails is left out, since a smaller cache is no error.
 */
final class WarmUp {
    private static final Logger LOGGER = LoggerFactory.getLogger(WarmUp.class);
    private static final NodeId SELF = new NodeId("warm-up");
    private static final Duration ELECTION = Duration.ofMillis(100);
    private static final int PUMPS_MAX = 100;
    private static final int WAIT_SECONDS = 3;
    /** Left out: every recorded class takes memory in every node, and these would bring Jackson's data binding along. */
    private static final String COMMANDS = "io/quantadb/node/cli/";

    private final MonotonicClock clock;
    private final RandomGenerator random;

    WarmUp(MonotonicClock clock, RandomGenerator random) {
        this.clock = clock;
        this.random = random;
    }

    void run() {
        try {
            loadOwnClasses();
            Path folder = Files.createTempDirectory("quantadb-warm-up");
            try {
                exercise(folder);
            } finally {
                remove(folder);
            }
        } catch (IOException | URISyntaxException | RuntimeException e) {
            LOGGER.atWarn().setCause(e).log("not all could be loaded");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void loadOwnClasses() throws IOException, URISyntaxException {
        Path from = Path.of(
                WarmUp.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        if (!Files.isRegularFile(from)) {
            return;
        }
        try (JarFile jar = new JarFile(from.toFile())) {
            jar.stream()
                    .map(entry -> entry.getName())
                    .filter(name ->
                            name.endsWith(".class") && !name.endsWith("-info.class") && !name.startsWith(COMMANDS))
                    .forEach(name -> load(
                            name.substring(0, name.length() - ".class".length()).replace('/', '.')));
        }
    }

    private static void load(String name) {
        try {
            var _ = Class.forName(name, false, WarmUp.class.getClassLoader());
        } catch (ClassNotFoundException | LinkageError e) {
            LOGGER.atDebug().addKeyValue("class", name).log("left out");
        }
    }

    private void exercise(Path folder) throws IOException, InterruptedException {
        TlsFiles tls = DevelopmentCa.openOrCreate(folder.resolve("ca"), InstantSource.system())
                .issueNode(SELF);
        HostPort nowhere = new HostPort("localhost", 1);
        try (NettyTransport transport = new NettyTransport(
                new TransportConfig(SELF, nowhere, nowhere, tls), clock, InstantSource.system(), random)) {
            shakeHands(transport, tls);
            consensus(folder.resolve("raft"), transport, nowhere);
        }
    }

    private static void shakeHands(NettyTransport transport, TlsFiles files) throws SSLException {
        SslHandler server = transport
                .tls()
                .server(ClientAuth.OPTIONAL, List.of())
                .newHandler(io.netty.buffer.ByteBufAllocator.DEFAULT);
        SslHandler client = SslContextBuilder.forClient()
                .trustManager(files.ca().toFile())
                .build()
                .newHandler(io.netty.buffer.ByteBufAllocator.DEFAULT, "localhost", 1);
        EmbeddedChannel there = new EmbeddedChannel(server);
        EmbeddedChannel here = new EmbeddedChannel(client);
        for (int i = 0; i < PUMPS_MAX && !client.handshakeFuture().isDone(); i++) {
            pump(here, there);
            pump(there, here);
        }
        var _ = here.finishAndReleaseAll();
        var _ = there.finishAndReleaseAll();
    }

    private static void pump(EmbeddedChannel from, EmbeddedChannel to) {
        from.runPendingTasks();
        for (Object bytes = from.readOutbound(); bytes != null; bytes = from.readOutbound()) {
            var _ = to.writeInbound(bytes);
        }
        to.runPendingTasks();
    }

    /** A group of one elects itself, bootstraps a cluster of one and tells its decision core. */
    private void consensus(Path folder, NettyTransport transport, HostPort nowhere) throws InterruptedException {
        PeerId self = new PeerId(SELF, 1);
        RaftNode.bootstrap(folder, self);
        ClusterCore core = new ClusterCore(
                new ClusterCore.Start(self, 1, 0, ServerState.DOWN, null, random.nextInt()), clock.nanos());
        CountDownLatch applied = new CountDownLatch(1);
        ReplicatedState state = new ReplicatedState((s, index) -> {
            var _ = core.on(clock.nanos(), new Event.StateApplied(s, index));
            if (s.bootstrapped()) {
                applied.countDown();
            }
        });
        RaftRelay listener = new RaftRelay();
        try (RaftNode raft = new RaftNode(
                new RaftNodeConfig(
                        folder, self, 1, RaftConfig.of(ELECTION, ELECTION.multipliedBy(2), ELECTION.dividedBy(5))),
                new ControlDispatcher(transport.network()),
                state,
                listener,
                clock,
                random)) {
            listener.to(new Proposer(
                    raft, core, new Command.Bootstrap("warm-up", 1, 1, member(self, nowhere), 1, settings())));
            raft.start();
            var _ = applied.await(WAIT_SECONDS, TimeUnit.SECONDS);
        }
    }

    private static Member member(PeerId self, HostPort nowhere) {
        return new Member(
                self,
                1,
                MemberKind.DATA,
                MemberState.VOTER,
                new io.quantadb.node.cluster.Addresses(nowhere, nowhere, nowhere, nowhere, nowhere),
                "",
                100,
                false);
    }

    private static Settings settings() {
        return new Settings(Settings.Mode.QUORUM, Settings.Policy.BLOCK, Timers.of(20, 100, 200));
    }

    private final class Proposer implements RaftListener {
        private final RaftNode raft;
        private final ClusterCore core;
        private final Command first;
        private boolean proposed;

        Proposer(RaftNode raft, ClusterCore core, Command first) {
            this.raft = raft;
            this.core = core;
            this.first = first;
        }

        @Override
        public void onChanged(RaftStatus status) {
            var _ = core.on(
                    clock.nanos(),
                    new Event.RaftChanged(status.isLeader(), status.term(), SELF, status.ownTermApplied(), false));
            if (status.ownTermApplied() && !proposed) {
                proposed = true;
                raft.propose(CommandCodec.encode(first, ClusterVersion.NEWEST), _ -> {});
            }
        }

        @Override
        public void onLease(long untilNanos) {
            var _ = core.on(clock.nanos(), new Event.LeaderLease(untilNanos));
        }

        @Override
        public void onTick(long nowNanos) {
            var _ = core.on(nowNanos, new Event.Tick(0));
        }

        @Override
        public void onRegressed(PeerId peer) {}

        @Override
        public void onFault(Throwable fault) {
            LOGGER.atWarn().setCause(fault).log("consensus stopped");
        }
    }

    private static void remove(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }
}
