package io.quantadb.node.front;

import static io.quantadb.node.common.LogKeys.ADDRESS;
import static io.quantadb.node.common.LogKeys.CLUSTER;
import static io.quantadb.node.common.LogKeys.PEER;
import static io.quantadb.node.common.LogKeys.SESSION;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.quantadb.node.common.MonotonicClock;
import io.quantadb.node.front.Router.Origin;
import io.quantadb.node.front.Router.Route;
import io.quantadb.node.transport.PeerStreams;
import io.quantadb.node.transport.StreamKind;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds a server for each client that has started up: routes, dials, and lets it wait, for a bounded time and with a
 * bounded number of others, while there is none.
 *
 * <p>Everything about one {@link Connection} happens on its client's event loop; {@link #retry} and {@link #tick} may
 * be called on any thread.
 */
// a write or close that fails ends its channel, and that end is heard
@SuppressWarnings("FutureReturnValueIgnored")
final class Lobby {
    private static final Logger LOGGER = LoggerFactory.getLogger(Lobby.class);

    /** So many connections meet a server that has just been opened, before the rest do. */
    private static final int FIRST_MAX = 16;

    private static final long RETRY_NANOS = Duration.ofMillis(50).toNanos();

    private final FrontConfig config;
    private final Gate gate;
    private final LeaseView lease;
    private final Sessions sessions;
    private final Dialer dialer;
    private final PeerStreams peers;
    private final Admission admission;
    private final MonotonicClock clock;
    private final AtomicLong numbers = new AtomicLong();
    private final Set<Connection> waiting = ConcurrentHashMap.newKeySet();

    Lobby(
            FrontConfig config,
            Gate gate,
            LeaseView lease,
            Sessions sessions,
            Dialer dialer,
            PeerStreams peers,
            Admission admission,
            MonotonicClock clock) {
        this.config = config;
        this.gate = gate;
        this.lease = lease;
        this.sessions = sessions;
        this.dialer = dialer;
        this.peers = peers;
        this.admission = admission;
        this.clock = clock;
    }

    long waitUntilNanos() {
        return clock.nanos() + config.limits().waitForPrimary().toNanos();
    }

    /** A client with an accepted start-up packet; on its event loop. */
    void enter(Connection connection) {
        String user = connection.packet().user();
        if (!admission.enterUser(user)) {
            connection.refuse(Words.tooMany("One user may have %d connections to this node."
                    .formatted(config.limits().sessionsPerUserMax())));
            return;
        }
        connection.client().closeFuture().addListener(_ -> {
            admission.leaveUser(user);
            waiting.remove(connection);
        });
        attempt(connection);
    }

    /** The view has changed: a few that wait are tried at once, the others with the ticks that follow. */
    void retry() {
        int first = 0;
        for (Connection connection : waiting) {
            if (++first > FIRST_MAX) {
                return;
            }
            execute(connection, () -> attempt(connection));
        }
    }

    void tick() {
        long now = clock.nanos();
        for (Connection connection : waiting) {
            execute(connection, () -> {
                if (now - connection.nextAttemptNanos >= 0) {
                    attempt(connection);
                }
            });
        }
    }

    int waiting() {
        return waiting.size();
    }

    private void execute(Connection connection, Runnable task) {
        try {
            connection.client().eventLoop().execute(task);
        } catch (RejectedExecutionException e) {
            waiting.remove(connection);
        }
    }

    private void attempt(Connection connection) {
        if (connection.busy || !connection.client().isActive()) {
            return;
        }
        switch (Router.route(connection.origin(), gate.view(), config.self(), lease)) {
            case Route.Here(long epoch) -> {
                if (gate.draining()) {
                    await(connection, Words.noPrimary("The primary is moving to another node."));
                } else {
                    dialHere(connection, epoch);
                }
            }
            case Route.Peer(FrontView.Primary primary) -> dialPeer(connection, primary);
            case Route.Wait(Report words) -> await(connection, words);
        }
    }

    private void await(Connection connection, Report words) {
        if (!connection.mayWait(clock.nanos())) {
            waiting.remove(connection);
            connection.busy = true;
            connection.refuse(words);
            return;
        }
        connection.nextAttemptNanos = clock.nanos() + RETRY_NANOS;
        if (!waiting.contains(connection)) {
            if (waiting.size() >= config.limits().waitingMax()) {
                connection.busy = true;
                connection.refuse(words);
            } else {
                waiting.add(connection);
            }
        }
    }

    private void dialHere(Connection connection, long epoch) {
        connection.busy = true;
        ChannelFuture dial = dialer.connect(connection.client().eventLoop());
        dial.addListener(future -> {
            connection.busy = false;
            if (future.isSuccess()) {
                join(connection, dial.channel(), epoch, null);
            } else {
                await(connection, Words.notServing("PostgreSQL does not accept connections."));
            }
        });
    }

    private void dialPeer(Connection connection, FrontView.Primary primary) {
        connection.busy = true;
        byte[] header = PeerHeader.encode(new PeerHeader.SessionHeader(connection.clientAddress()));
        var _ = peers.open(
                        primary.replication(),
                        primary.node(),
                        StreamKind.SQL,
                        header,
                        config.limits().dialDeadline())
                .whenComplete((opened, failure) -> {
                    if (opened != null && connection.client().eventLoop().isShuttingDown()) {
                        opened.channel().close();
                        return;
                    }
                    execute(connection, () -> {
                        connection.busy = false;
                        if (opened != null) {
                            join(connection, opened.channel(), 0, primary);
                        } else {
                            LOGGER.atDebug()
                                    .addMarker(CLUSTER)
                                    .addKeyValue(PEER, primary.node())
                                    .setCause(failure)
                                    .log("the primary's node did not take a connection");
                            await(connection, Words.noPrimary("The primary's node did not take the connection."));
                        }
                    });
                });
    }

    private void join(Connection connection, Channel server, long epoch, FrontView.@Nullable Primary peer) {
        waiting.remove(connection);
        Channel client = connection.client();
        if (!client.isActive()) {
            server.close();
            return;
        }
        connection.busy = true;
        StartupPacket packet = connection.packet();
        var kind = peer != null
                ? Session.Kind.RELAYED
                : connection.origin() == Origin.PEER ? Session.Kind.PEER : Session.Kind.LOCAL;
        var session = new Session(
                new Session.Setup(
                        numbers.incrementAndGet(),
                        kind,
                        packet.user(),
                        connection.clientAddress(),
                        packet.replication(),
                        config.allowLoweredSynchronousCommit(),
                        peer == null ? gate : null,
                        epoch,
                        peer,
                        config.limits()),
                client,
                server,
                sessions,
                clock);
        server.config().setWriteBufferWaterMark(Dialer.mark(config.limits()));
        sessions.add(session);
        log(session, connection);
        ByteBuf rest = connection.handler().takeRest();
        client.pipeline().remove(connection.handler());
        session.start(packet.encode(server.alloc()), rest);
        // a view that came between routing and adding has not met this session
        session.recheck();
    }

    private static void log(Session session, Connection connection) {
        FrontView.Primary peer = session.setup().peer();
        var line = LOGGER.atInfo()
                .addMarker(CLUSTER)
                .addKeyValue(SESSION, session.setup().number())
                .addKeyValue(ADDRESS, connection.clientAddress())
                .addKeyValue("user", Words.printable(connection.packet().user(), 63))
                .addKeyValue("database", Words.printable(connection.packet().database(), 63))
                .addKeyValue("listener", connection.origin())
                .addKeyValue("tls", connection.handler().tlsActive());
        (peer == null ? line : line.addKeyValue(PEER, peer.node())).log("session started");
    }
}
