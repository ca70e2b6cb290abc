package io.quantadb.node.front;

import static io.quantadb.node.common.LogKeys.ADDRESS;
import static io.quantadb.node.common.LogKeys.CLUSTER;
import static io.quantadb.node.common.LogKeys.EPOCH;
import static io.quantadb.node.common.LogKeys.REASON;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.handler.ssl.SslContext;
import io.netty.util.concurrent.GlobalEventExecutor;
import io.netty.util.concurrent.ScheduledFuture;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MonotonicClock;
import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.front.Router.Origin;
import io.quantadb.node.transport.PeerStreams;
import io.quantadb.node.transport.PeerStreams.Incoming;
import io.quantadb.node.transport.PeerStreams.Verdict;
import io.quantadb.node.transport.StreamKind;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The SQL front of one node: two listeners for clients and the far end for clients of other nodes' fronts.
 *
 * <ul>
 *   <li>{@code local}: the PostgreSQL beside us, whatever it is; a write on a replica is refused with a hint.
 *   <li>{@code primary}: the whole connection goes to the current primary, through its node's front when that is not
 *       here.
 * </ul>
 *
 * <p>The front starts closed: it listens, and clients wait or are told why, until {@link #setView} opens it. All public
 * methods may be called on any thread and return at once, except {@link #start} and {@link #close}, which wait for
 * sockets and must not be called on an event loop.
 */
// a write or close that fails ends its channel, and that end is heard
@SuppressWarnings("FutureReturnValueIgnored")
public final class SqlFront implements AutoCloseable {
    /** What ALPN must choose in direct TLS. */
    public static final String APPLICATION_PROTOCOL = StartupHandler.ALPN;

    private static final Logger LOGGER = LoggerFactory.getLogger(SqlFront.class);
    private static final Duration TICK = Duration.ofMillis(20);
    private static final Duration CLOSE_DEADLINE = Duration.ofSeconds(2);

    private final FrontConfig config;
    private final EventLoopGroup group;
    private final PeerStreams peers;
    private final @Nullable Supplier<SslContext> tls;
    private final LeaseView lease;
    private final Gate gate;
    private final Admission admission;
    private final CancelRouter cancels;
    private final Sessions sessions;
    private final Lobby lobby;
    private final ChannelGroup channels = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
    private final Object lifecycle = new Object();

    private volatile @Nullable Channel localListener;
    private volatile @Nullable Channel primaryListener;
    private @Nullable ScheduledFuture<?> ticking;

    /**
     * @param group the loops of sessions; unix sockets use epoll or NIO as it does
     * @param tls the server context for clients of this moment, with {@link #APPLICATION_PROTOCOL}; asked for at each
     *     connection, so that a renewed certificate is shown without a restart; null turns TLS off
     */
    public SqlFront(
            FrontConfig config,
            EventLoopGroup group,
            PeerStreams peers,
            @Nullable Supplier<SslContext> tls,
            LeaseView lease,
            CancelGuard guard,
            FrontListener listener,
            MonotonicClock clock) {
        if (config.requireTls() && tls == null) {
            throw new IllegalArgumentException("front.requireTls needs a certificate and key");
        }
        this.config = config;
        this.group = group;
        this.peers = peers;
        this.tls = tls;
        this.lease = lease;
        FrontConfig.Limits limits = config.limits();
        this.gate = new Gate(lease, FrontView.closed("This node is starting.", null));
        this.admission = new Admission(limits.sessionsMax(), limits.sessionsPerUserMax());
        var dialer = new Dialer(config);
        this.cancels = new CancelRouter(dialer, peers, guard, limits.dialDeadline());
        this.sessions = new Sessions(gate, clock, limits.leaseGrace(), cancels, listener, this::primaryPort);
        this.lobby = new Lobby(config, gate, lease, sessions, dialer, peers, admission, clock);
    }

    /** Binds both listeners and takes peer streams; a port that cannot be had is a {@link LocalFault}, nothing stays. */
    public void start() {
        synchronized (lifecycle) {
            localListener = bind(Origin.LOCAL, config.local(), "set another SQL port (`port`)");
            try {
                primaryListener = bind(
                        Origin.PRIMARY,
                        config.primary(),
                        "set another port for SQL that follows the primary (by default the SQL port + 4000)");
            } catch (LocalFault e) {
                close();
                throw e;
            }
            peers.setAcceptor(StreamKind.SQL, this::onPeerStream);
            ticking = group.next()
                    .scheduleAtFixedRate(this::tick, TICK.toMillis(), TICK.toMillis(), TimeUnit.MILLISECONDS);
            LOGGER.atInfo()
                    .addMarker(CLUSTER)
                    .addKeyValue("local", text(localAddress()))
                    .addKeyValue("primary", text(primaryAddress()))
                    .log("sql front listens");
        }
    }

    private static String text(InetSocketAddress address) {
        return address.getHostString() + ":" + address.getPort();
    }

    /** The address that the {@code local} listener is bound to. */
    public InetSocketAddress localAddress() {
        return addressOf(localListener, config.local());
    }

    /** The address that the {@code primary} listener is bound to. */
    public InetSocketAddress primaryAddress() {
        return addressOf(primaryListener, config.primary());
    }

    /**
     * Replaces the view; every forward after this call obeys it. From {@code PRIMARY} to anything else, another epoch
     * included, its sessions are cut. Sessions of a standby live through {@code CLOSED} (held, for
     * {@link FrontConfig.Limits#promotionHold}) and are taken over by {@code PRIMARY}: so say {@code CLOSED} <em>before</em>
     * the server is told to promote, and {@code PRIMARY} only when the epoch is released.
     */
    public void setView(FrontView view) {
        FrontView before = gate.setView(view);
        if (before.mode() != view.mode() || before.epoch() != view.epoch()) {
            LOGGER.atInfo()
                    .addMarker(CLUSTER)
                    .addKeyValue("mode", view.mode())
                    .addKeyValue(EPOCH, view.epoch())
                    .addKeyValue(REASON, view.reason())
                    .log("sql front changed");
        }
        sessions.onView(view);
        lobby.retry();
    }

    public FrontView view() {
        return gate.view();
    }

    /**
     * Cuts all sessions of the primary and forwards nothing more of it; listeners stay, and clients wait or are told
     * the reason. Obeyed by every forward after this call; complete when all their channels are closed.
     */
    public CompletableFuture<@Nullable Void> fence(String reason) {
        FrontView before = gate.setView(FrontView.closed(reason, elsewhere()));
        LOGGER.atInfo()
                .addMarker(CLUSTER)
                .addKeyValue(EPOCH, before.epoch())
                .addKeyValue(REASON, reason)
                .log("sql front fenced");
        CompletableFuture<@Nullable Void> cut = sessions.cut(Sessions::ofPrimary, reason);
        sessions.onView(gate.view());
        return cut;
    }

    /**
     * Lets no client begin a transaction with the primary beside us: what would begin one is held, new connections wait,
     * transactions under way go on. Complete when none is under way, its last answer sent, but those of which the client has
     * said nothing for as long as {@code patience}; never, when one goes on for ever. Ends with {@link #resume}, and with any
     * view that is not of this epoch's primary.
     */
    public CompletableFuture<@Nullable Void> drain(Duration patience) {
        return sessions.drain(patience);
    }

    /** The end of {@link #drain}: everything that was held goes on. */
    public void resume() {
        sessions.resume();
        lobby.retry();
    }

    /** The server beside us stops: cuts all its sessions, a standby's included; complete when they are closed. */
    public CompletableFuture<@Nullable Void> closeLocal(String reason) {
        gate.setView(FrontView.closed(reason, elsewhere()));
        return sessions.cut(Sessions::ofLocalServer, reason);
    }

    /** Nothing is served or passed on from here any more, until the next view; complete when every session is closed. */
    public CompletableFuture<@Nullable Void> shut(String reason) {
        gate.setView(FrontView.closed(reason, null));
        LOGGER.atInfo().addMarker(CLUSTER).addKeyValue(REASON, reason).log("sql front shut");
        return sessions.cut(_ -> true, reason);
    }

    /**
     * Holds every answer of this server's sessions from now on, for a cancelled wait that was seen elsewhere, such as in
     * the server's log, and whose position is not known yet. Give the ticket back to the next method, with a position
     * that was read after this call.
     */
    public long holdAnswers() {
        return gate.waitCancelled(gate.view().epoch());
    }

    /**
     * Lets answers pass only while the server's log has been read as far as it was written, since a cancelled wait may
     * be told there alone. {@code readUp} is asked on event loops, before every forward, and must not wait.
     */
    public void watchLog(BooleanSupplier readUp) {
        gate.watchLog(readUp);
    }

    /** Ends what the listener was told by {@link FrontListener#onWaitCancelled}, once the voice has passed a position. */
    public void holdAnswers(long ticket, Lsn until, Supplier<Lsn> voice) {
        gate.holdAnswers(ticket, until, voice);
    }

    /**
     * Holds every answer of this server's sessions until the voice has passed a position. {@code voice} is asked on
     * event loops, very often.
     */
    public void holdAnswers(Lsn until, Supplier<Lsn> voice) {
        gate.holdAnswers(0, until, voice);
    }

    public FrontSessions sessions() {
        return sessions.snapshot(admission.count());
    }

    /** Stops to listen and closes every connection. */
    @Override
    public void close() {
        synchronized (lifecycle) {
            if (ticking != null) {
                ticking.cancel(false);
            }
            closeListener(localListener);
            closeListener(primaryListener);
        }
        gate.setView(FrontView.closed("This node is stopping.", null));
        var _ = sessions.cut(_ -> true, "This node is stopping.");
        channels.close().awaitUninterruptibly(CLOSE_DEADLINE.toMillis());
        try {
            CompletableFuture.allOf(sessions.ends().toArray(CompletableFuture[]::new))
                    .completeOnTimeout(null, CLOSE_DEADLINE.toMillis(), TimeUnit.MILLISECONDS)
                    .join();
        } catch (java.util.concurrent.CompletionException e) {
            LOGGER.atDebug().addMarker(CLUSTER).setCause(e).log("sessions ended badly");
        }
    }

    private int primaryPort() {
        return primaryAddress().getPort();
    }

    private FrontView.@Nullable Primary elsewhere() {
        FrontView.Primary primary = gate.view().primary();
        return primary == null || primary.node().equals(config.self()) ? null : primary;
    }

    private void tick() {
        try {
            sessions.tick();
            lobby.tick();
        } catch (RuntimeException e) {
            LOGGER.atError().addMarker(CLUSTER).setCause(e).log("the front's tick failed");
        }
    }

    private Channel bind(Origin origin, InetSocketAddress address, String advice) {
        ChannelFuture bound = new ServerBootstrap()
                .group(group)
                .channel(Dialer.listenerType(group))
                .option(ChannelOption.SO_REUSEADDR, true)
                .option(ChannelOption.SO_BACKLOG, 512)
                .childOption(ChannelOption.AUTO_READ, false)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        accept(channel, origin, Words.address(channel.remoteAddress()));
                    }
                })
                .bind(address)
                .awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new LocalFault(
                    "cannot listen for SQL on %s:%d (listener %s): %s; stop what uses that address or %s"
                            .formatted(
                                    address.getHostString(),
                                    address.getPort(),
                                    origin.name().toLowerCase(java.util.Locale.ROOT),
                                    reason(bound.cause()),
                                    advice),
                    bound.cause());
        }
        return bound.channel();
    }

    private static String reason(@Nullable Throwable cause) {
        if (cause == null) {
            return "unknown";
        }
        String message = cause.getMessage();
        return message == null ? cause.getClass().getSimpleName() : message;
    }

    private void accept(Channel channel, Origin origin, String clientAddress) {
        Admission.Entry entry = admission.enter();
        channel.closeFuture().addListener(_ -> admission.leave());
        if (entry == Admission.Entry.CLOSE) {
            channel.close();
            return;
        }
        channels.add(channel);
        channel.config().setWriteBufferWaterMark(Dialer.mark(config.limits()));
        boolean peer = origin == Origin.PEER;
        channel.pipeline()
                .addLast(new StartupHandler(
                        peer || tls == null ? null : tls.get(),
                        config.requireTls() && !peer,
                        !peer,
                        config.limits().startupDeadline(),
                        new Arrival(origin, clientAddress, entry == Admission.Entry.TELL)));
    }

    /** A client, or another node's front for its client, has said what it wants. */
    private final class Arrival implements StartupHandler.Next {
        private final Origin origin;
        private final String clientAddress;
        private final boolean tooMany;

        private Arrival(Origin origin, String clientAddress, boolean tooMany) {
            this.origin = origin;
            this.clientAddress = clientAddress;
            this.tooMany = tooMany;
        }

        @Override
        public void onStartup(StartupHandler handler, ChannelHandlerContext ctx, StartupPacket packet) {
            var connection = new Connection(ctx, handler, packet, origin, clientAddress, lobby.waitUntilNanos());
            if (tooMany) {
                connection.refuse(Words.tooMany("This node takes %d connections in all."
                        .formatted(config.limits().sessionsMax())));
                return;
            }
            switch (StartupPolicy.decide(packet, config.allowLoweredSynchronousCommit())) {
                case StartupPolicy.Verdict.Refuse(Report report) -> {
                    LOGGER.atInfo()
                            .addMarker(CLUSTER)
                            .addKeyValue(ADDRESS, clientAddress)
                            .addKeyValue(REASON, report.get(Report.MESSAGE))
                            .log("start-up refused");
                    connection.refuse(report);
                }
                case StartupPolicy.Verdict.Accept(StartupPacket accepted) ->
                    lobby.enter(new Connection(ctx, handler, accepted, origin, clientAddress, lobby.waitUntilNanos()));
            }
        }

        @Override
        public void onCancel(ChannelHandlerContext ctx, ByteBuf packet) {
            cancel(packet, clientAddress, ctx.channel(), elsewhere());
        }
    }

    private void cancel(ByteBuf packet, String clientAddress, Channel asking, FrontView.@Nullable Primary elsewhere) {
        var _ = cancels.cancel(packet, clientAddress, asking.eventLoop(), elsewhere)
                .whenComplete((_, _) -> asking.close());
    }

    private void onPeerStream(Incoming incoming, Verdict verdict) {
        PeerHeader header = PeerHeader.parse(incoming.header());
        if (header == null) {
            verdict.refuse("bad_header", "this SQL stream's header is not understood");
            return;
        }
        switch (header) {
            case PeerHeader.CancelHeader(String address, byte[] packet) ->
                verdict.accept(new byte[0], channel -> cancel(Unpooled.wrappedBuffer(packet), address, channel, null));
            case PeerHeader.SessionHeader(String address) -> {
                FrontView view = gate.view();
                boolean serves = view.mode() == FrontView.Mode.PRIMARY && !gate.draining();
                if (!serves || !lease.holds(view.epoch())) {
                    verdict.refuse(
                            "not_primary",
                            "node %s does not serve as primary: %s".formatted(config.self(), view.reason()));
                } else {
                    verdict.accept(new byte[0], channel -> accept(channel, Origin.PEER, address));
                }
            }
        }
    }

    private static void closeListener(@Nullable Channel listener) {
        if (listener != null) {
            listener.close().awaitUninterruptibly(CLOSE_DEADLINE.toMillis());
        }
    }

    private static InetSocketAddress addressOf(@Nullable Channel listener, InetSocketAddress configured) {
        return listener != null && listener.localAddress() instanceof InetSocketAddress bound ? bound : configured;
    }
}
