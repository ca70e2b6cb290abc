package io.quantadb.node.runtime;

import io.netty.handler.ssl.SslContext;
import io.quantadb.node.cluster.ClusterCore;
import io.quantadb.node.cluster.Event;
import io.quantadb.node.cluster.Position;
import io.quantadb.node.cluster.ServerState;
import io.quantadb.node.common.LogKeys;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MonotonicClock;
import io.quantadb.node.common.NodeException;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.config.ClientTlsMode;
import io.quantadb.node.config.NodeConfig;
import io.quantadb.node.config.ReplicationConfig;
import io.quantadb.node.consensus.ControlDispatcher;
import io.quantadb.node.consensus.RaftNode;
import io.quantadb.node.consensus.RaftStatus;
import io.quantadb.node.coordinator.AdminAnswers;
import io.quantadb.node.coordinator.Coordinator;
import io.quantadb.node.coordinator.FactStore;
import io.quantadb.node.coordinator.JoinDesk;
import io.quantadb.node.coordinator.NodeFacts;
import io.quantadb.node.coordinator.ReplicatedState;
import io.quantadb.node.coordinator.SwitchoverBoard;
import io.quantadb.node.coordinator.WalCare;
import io.quantadb.node.front.FrontConfig;
import io.quantadb.node.front.SqlFront;
import io.quantadb.node.postgres.DirectoryContents;
import io.quantadb.node.postgres.PostgresServer;
import io.quantadb.node.postgres.ServerExit;
import io.quantadb.node.postgres.ServerListener;
import io.quantadb.node.postgres.StartMode;
import io.quantadb.node.postgres.StopMode;
import io.quantadb.node.relay.RelayConfig;
import io.quantadb.node.relay.VoicePolicy;
import io.quantadb.node.relay.WalRelay;
import io.quantadb.node.transport.NettyTransport;
import io.quantadb.node.wal.DivergedWal;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * PostgreSQL, relay and front of one node, tied to the events of its decision core.
 *
 * @param post hands an event to the core, from any thread
 */
record NodeParts(
        NodePostgres postgres,
        PostgresServer server,
        WalRelay relay,
        SqlFront front,
        NodeEngine engine,
        FrontAdapter gate,
        Consumer<Event> post,
        MonotonicClock clock,
        boolean hasData) {

    private static final Logger LOGGER = LoggerFactory.getLogger(NodeParts.class);
    private static final Duration READ_ALONG_EVERY = Duration.ofSeconds(1);

    private static final Duration PENDING_EVERY = Duration.ofSeconds(10);

    private static final int STREAM_BUFFER_MAX = 64 << 20;
    /** The defaults that are named for them. */
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(30);

    private static final Duration RECONNECT_INTERVAL = Duration.ofSeconds(5);

    private static final Duration LEASE_GRACE = Duration.ofMillis(500);

    static NodeParts build(
            NodeConfig config,
            NodeFiles files,
            NodeFacts member,
            NettyTransport transport,
            NodePostgres postgres,
            ServingLease lease,
            MonotonicClock clock,
            VoicePolicy voice,
            DivergedWal diverged,
            @Nullable Supplier<SslContext> tls,
            Consumer<Event> post) {
        ServerEvents events = new ServerEvents(post);
        PostgresServer server = new PostgresServer(postgres.serverConfig(config, files, true), events);
        events.server = server;
        WalRelay relay = new WalRelay(
                relayConfig(config, member, postgres),
                transport.streams(),
                transport.bulkGroup(),
                post::accept,
                lease,
                clock,
                voice);
        FrontConfig frontConfig = FrontConfig.of(
                        config.cluster().nodeId(),
                        new InetSocketAddress(config.host(), config.ports().sql()),
                        new InetSocketAddress(config.host(), config.ports().primary()),
                        server.config().socket())
                .withRequireTls(config.clientTls().mode() == ClientTlsMode.REQUIRE)
                .withLimits(FrontConfig.Limits.DEFAULT.withHolds(
                        LEASE_GRACE,
                        FrontConfig.Limits.DEFAULT.promotionHold(),
                        FrontConfig.Limits.DEFAULT.answersHeldMax()));
        SqlFront front = new SqlFront(
                frontConfig,
                transport.bulkGroup(),
                transport.streams(),
                tls,
                lease,
                pid -> waits(server, pid),
                events::onFrontSawCancel,
                clock);
        FrontAdapter gate = new FrontAdapter(
                config.cluster().nodeId(),
                front,
                lease,
                relay::voiceReported,
                round -> post.accept(new Event.FrontDrained(round)));
        events.gate = gate;
        front.watchLog(server::isLogReadUp);
        relay.serveRewinds(new RewindSupply(server));
        NodeEngine engine = new NodeEngine(
                server,
                postgres,
                relay,
                new Rewinder(rewinding(config), server, postgres, relay, diverged, Clock.systemUTC()),
                config.cluster().replication());
        DirectoryContents contents =
                postgres.directory().inspect(postgres.binaries().major(), null);
        boolean hasData = contents instanceof DirectoryContents.Cluster;
        if (contents instanceof DirectoryContents.Incomplete) {
            LOGGER.atWarn()
                    .addMarker(LogKeys.REPLICATION)
                    .log("a clone or a rewind of the data directory was cut short: what is in it is not used");
        }
        return new NodeParts(postgres, server, relay, front, engine, gate, post, clock, hasData);
    }

    private static Rewinder.Settings rewinding(NodeConfig config) {
        return new Rewinder.Settings(
                config.postgres().rewind(),
                config.cluster().replication().rejoinRate().bytes());
    }

    private static RelayConfig relayConfig(NodeConfig config, NodeFacts member, NodePostgres postgres) {
        RelayConfig base = RelayConfig.of(
                member.node(),
                member.incarnation(),
                postgres.relaySockets(),
                NodePostgres.SOCKET_PORT,
                postgres.sockets(),
                NodePostgres.SOCKET_PORT,
                io.quantadb.node.postgres.ServerConfig.AGENT_ROLE,
                postgres.binaries().version().text());
        return tuned(base, config.cluster().replication());
    }

    /** The same with what the configuration says of replication. */
    static RelayConfig tuned(RelayConfig base, ReplicationConfig r) {
        return new RelayConfig(
                base.self(),
                base.incarnation(),
                base.receiverDir(),
                base.receiverPort(),
                base.postgresDir(),
                base.postgresPort(),
                base.postgresUser(),
                base.serverVersion(),
                (int) Math.min(r.streamBufferSize().bytes(), STREAM_BUFFER_MAX),
                r.heartbeatInterval(),
                r.heartbeatTimeout(),
                used("connect_timeout", r.connectTimeout(), CONNECT_TIMEOUT, base.connectTimeout()),
                used("reconnect_interval", r.reconnectInterval(), RECONNECT_INTERVAL, base.reconnectInterval()),
                r.maxReconnectTries(),
                r.batchSize(),
                r.flushInterval(),
                r.snapshotTimeout(),
                base.flushTimeout(),
                base.progressInterval());
    }

    /** At most what the relay itself permits; said where somebody chose more, and not of the default (docs/adr/0034). */
    private static Duration used(String setting, Duration chosen, Duration named, Duration most) {
        if (chosen.compareTo(most) <= 0) {
            return chosen;
        }
        if (!chosen.equals(named)) {
            LOGGER.atWarn()
                    .addMarker(LogKeys.REPLICATION)
                    .addKeyValue("set", chosen)
                    .addKeyValue("used", most)
                    .log("cluster.replication.%s is longer than what is used of it".formatted(setting));
        }
        return most;
    }

    private static boolean waits(PostgresServer server, int pid) {
        return "SyncRep"
                .equals(server.sessions()
                        .ask("SELECT wait_event FROM pg_stat_activity WHERE pid = " + pid)
                        .singleOrNull());
    }

    /** Where the WAL on disk ends, before anything runs; null when there is none or it cannot be told. */
    @Nullable
    Position endOnDisk() {
        if (!hasData) {
            return null;
        }
        try {
            return engine.position();
        } catch (NodeException e) {
            return null;
        }
    }

    Coordinator coordinator(
            ClusterCore core,
            RaftNode raft,
            ControlDispatcher network,
            ReplicatedState state,
            FactStore facts,
            JoinDesk joins,
            AdminAnswers admin,
            SwitchoverBoard board,
            NodeId self,
            Consumer<Throwable> onFault) {
        return Coordinator.of(
                core, raft, network, state, engine, facts, relay, gate, joins, admin, board, self, clock, fault -> {
                    gate.stop();
                    onFault.accept(fault);
                });
    }

    WalCare walCare(
            NodeId self,
            ControlDispatcher network,
            ReplicatedState state,
            Supplier<@Nullable RaftStatus> raft,
            FedMembers fed) {
        return new WalCare(self, server, relay, network, state::current, raft, fed::positions, clock);
    }

    /** Keeps a standby's reading of its WAL close to the end, until closed. */
    void readAlong(Closing closing) {
        Thread reader = Thread.ofVirtual().name("quantadb-read-along").start(() -> {
            try {
                while (!Thread.interrupted()) {
                    Thread.sleep(READ_ALONG_EVERY);
                    engine.readAlong();
                    engine.keepSpare();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        closing.add("read-along", reader::interrupt);
    }

    /** Keeps what is told of settings that wait for a restart up to date, until closed. */
    void watchPending(Closing closing) {
        Thread watch = Thread.ofVirtual().name("quantadb-pending-restart").start(() -> {
            try {
                while (!Thread.interrupted()) {
                    Thread.sleep(PENDING_EVERY);
                    engine.lookForPending();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        closing.add("pending-restart", watch::interrupt);
    }

    void stopPostgres() {
        engine.leave();
        // A server that stops waits for its receivers, and the voice never says that it has read all.
        relay.closeVoice();
        server.stop(StopMode.FAST, Duration.ofSeconds(10));
    }

    /** What PostgreSQL's process and log say, as events. */
    private static final class ServerEvents implements ServerListener {
        private static final Duration ASK_AGAIN = Duration.ofMillis(20);

        private final Consumer<Event> post;
        private volatile @Nullable PostgresServer server;
        private volatile @Nullable FrontAdapter gate;

        ServerEvents(Consumer<Event> post) {
            this.post = post;
        }

        @Override
        public void onReady(StartMode mode) {
            if (mode == StartMode.STANDBY) {
                post.accept(new Event.ServerChanged(ServerState.STANDBY, 0));
            }
        }

        @Override
        public void onExit(ServerExit exit) {
            if (!exit.asked()) {
                post.accept(new Event.ServerExited(exit.how()));
            }
        }

        /** Holds answers on the spot: the client's may be on its way already, and reading a position takes a while. */
        @Override
        public void onWaitCancelled() {
            FrontAdapter g = gate;
            if (g != null) {
                nameThePosition(g, g.holdNow());
            }
        }

        void onFrontSawCancel(long ticket) {
            FrontAdapter g = gate;
            if (g != null) {
                nameThePosition(g, ticket);
            }
        }

        /**
         * The position is read after the cancel was seen, and a commit is flushed before it waits, so it lies beyond
         * the commit whose wait was cancelled. (What is only inserted may lie unflushed for long on an idle server.)
         */
        private void nameThePosition(FrontAdapter held, long ticket) {
            Thread.ofVirtual().name("quantadb-cancelled-wait").start(() -> {
                PostgresServer s = server;
                long opened = held.opened();
                // Nothing is shown meanwhile, so it is asked for as long as there is a server to ask.
                while (s != null && s.isRunning()) {
                    try {
                        Lsn until = s.sessions().flushLsn();
                        held.holdUntil(ticket, until);
                        post.accept(new Event.WaitCancelled(until));
                        return;
                    } catch (RuntimeException e) {
                        // Whatever it was, answers are held until the position is known.
                        LockSupport.parkNanos(ASK_AGAIN.toNanos());
                    }
                    opened = held.opened();
                }
                held.holdEnds(ticket, opened);
            });
        }
    }
}
