package io.quantadb.node.relay;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.quantadb.node.cluster.Event;
import io.quantadb.node.cluster.Position;
import io.quantadb.node.cluster.VoicePermit;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.LogKeys;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.MonotonicClock;
import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.transport.PeerStreams;
import io.quantadb.node.transport.StreamKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * One node's WAL relay: follows an upstream as a standby, serves other members' streams, and speaks for the primary's
 * voice. What a node does of this is the coordinator's choice.
 *
 * <p>Every method may be called from any thread, returns at once, and is carried out on the relay's own loop (one of
 * {@code bulk}) in the order of the calls; what comes of it is told to the {@link RelayListener} on that loop.
 *
 * <p>The promise: after {@link #closeBelow} nothing of a lower epoch is followed, served or reported again in this
 * process. The promise on disk is the coordinator's, which calls {@link #closeBelow} with it before anything else.
 */
public final class WalRelay implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(WalRelay.class);
    private static final long TICK_MS = 250;
    private static final long FLUSH_POLL_MS = 5;

    private final RelayContext context;
    private final PeerStreams streams;
    private final Follower follower;
    private final ServedStreams served;
    private final Voice voice;
    private long frozenBelow;
    private boolean closed;
    private volatile RelaySnapshot snapshot = RelaySnapshot.EMPTY;
    private volatile @Nullable Channel listening;

    /** The program's relay, whose voice obeys the recorded rule. */
    public WalRelay(
            RelayConfig config,
            PeerStreams streams,
            EventLoopGroup bulk,
            RelayListener listener,
            LeaseView lease,
            MonotonicClock clock) {
        this(config, streams, bulk, listener, lease, clock, VoicePolicy.RECORDED_RULE);
    }

    /** As the other, with how far its voice may acknowledge. */
    public WalRelay(
            RelayConfig config,
            PeerStreams streams,
            EventLoopGroup bulk,
            RelayListener listener,
            LeaseView lease,
            MonotonicClock clock,
            VoicePolicy policy) {
        this.context = new RelayContext(config, bulk.next(), clock, listener);
        this.streams = streams;
        this.follower = new Follower(context, streams);
        this.served = new ServedStreams(context, this::onMembersMoved);
        this.voice = new Voice(context, lease, served, config.self(), policy);
    }

    /**
     * Listens for the local WAL receiver and takes the WAL and base-backup streams of {@link PeerStreams}. Waits for
     * the socket to be bound; {@link LocalFault} when it cannot be.
     */
    public void start() {
        try {
            Files.deleteIfExists(context.config().receiverSocket());
        } catch (IOException e) {
            throw new LocalFault(
                    "cannot remove the old socket " + context.config().receiverSocket(), e);
        }
        ChannelFuture bound = UnixSockets.listen(
                context.loop(),
                context.config().receiverSocket(),
                context.config().streamBufferBytes(),
                new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.config().setAutoRead(false);
                        new ReceiverSession(context, channel, follower).begin();
                    }
                });
        if (!bound.awaitUninterruptibly(context.config().connectTimeout().toMillis()) || !bound.isSuccess()) {
            throw new LocalFault(
                    "cannot listen on %s: %s".formatted(context.config().receiverSocket(), Link.reason(bound.cause())));
        }
        listening = bound.channel();
        try {
            // the server may run as another user than a root agent; who may come here, the directory decides
            var _ = Files.setPosixFilePermissions(
                    context.config().receiverSocket(), PosixFilePermissions.fromString("rwxrwxrwx"));
        } catch (IOException e) {
            throw new LocalFault("cannot open the socket " + context.config().receiverSocket() + " to the server", e);
        }
        PeerStreams.Acceptor acceptor =
                (incoming, verdict) -> context.loop().execute(() -> served.onOpen(incoming, verdict));
        streams.setAcceptor(StreamKind.WAL, acceptor);
        streams.setAcceptor(StreamKind.BASE_BACKUP, acceptor);
        streams.setAcceptor(StreamKind.REWIND, acceptor);
        var _ = context.loop().scheduleAtFixedRate(this::tick, TICK_MS, TICK_MS, TimeUnit.MILLISECONDS);
    }

    /**
     * Follows that node under this epoch; a held receiver is re-pointed without a restart. {@code checked} is the end of
     * this node's WAL as it was found in the epoch history.
     */
    public void follow(NodeId upstream, HostPort address, long epoch, long generation, Position checked) {
        follow(upstream, address, epoch, generation, checked, true);
    }

    /** As the other, a standby or the primary of the epoch. */
    public void follow(
            NodeId upstream, HostPort address, long epoch, long generation, Position checked, boolean primary) {
        run(() -> {
            voice.setGeneration(generation);
            follower.follow(new Following.Target(upstream, address, epoch, generation, primary), checked);
        });
    }

    /** Closes the stream and dials no more; the receiver's connection is held. */
    public void stopFollowing() {
        run(() -> follower.stopFollowing("asked to stop following"));
    }

    /** Takes members' streams of exactly this epoch from now on and ends all others; 0 takes none. */
    public void serve(long epoch) {
        run(() -> served.serve(epoch));
    }

    /** On a standby: lets these members alone read WAL under this epoch, which it follows itself; 0 lets nobody. */
    public void feed(long epoch, Set<NodeId> members) {
        Set<NodeId> copy = Set.copyOf(members);
        run(() -> served.feed(epoch, copy));
    }

    /** Serves these members in these incarnations only from now on; before the first call it asks nobody's. */
    public void admit(Map<NodeId, Long> members) {
        Map<NodeId, Long> copy = Map.copyOf(members);
        run(() -> served.admit(copy));
    }

    /** Of the members, those that are read replicas: no voter waits while one of them is copied. */
    public void readReplicas(Set<NodeId> members) {
        Set<NodeId> copy = Set.copyOf(members);
        run(() -> served.copies().readReplicas(copy));
    }

    /** Lets that node, and nobody else, read WAL under this epoch; see {@code CoordMessage.ServeFetch}. */
    public void serveFetch(NodeId to, long epoch) {
        run(() -> served.serveFetch(to, epoch));
    }

    /** Lets members rewind by this node's server from now on, where they may draw base backups from it. */
    public void serveRewinds(RewindSource source) {
        run(() -> served.rewindsBy(source));
    }

    /** Ends every stream that is served but the WAL stream of that node, and takes no other while this epoch is served. */
    public void keepOnly(NodeId member) {
        run(() -> served.keepOnly(member));
    }

    /**
     * Closes every stream below this epoch, followed or served, keeps the voice from reporting for a lower one, and
     * waits, within {@link RelayConfig#flushTimeout()}, until the receiver has flushed what it was given; then tells
     * {@link Event.ReceiverProgress} and {@link Event.StreamsClosedBelow}.
     */
    public void closeBelow(long epoch) {
        run(() -> {
            frozenBelow = Math.max(frozenBelow, epoch);
            voice.promise(epoch);
            List<ChannelFuture> closing = new ArrayList<>(follower.closeBelow(epoch));
            closing.addAll(served.closeBelow(epoch));
            follower.askReceiver();
            long deadline = context.nanos() + context.config().flushTimeout().toNanos();
            awaitFlushed(epoch, closing, deadline);
        });
    }

    private void awaitFlushed(long epoch, List<ChannelFuture> closing, long deadline) {
        boolean done = closing.stream().allMatch(ChannelFuture::isDone) && follower.flushedAll();
        if (!done && context.nanos() < deadline && !closed) {
            follower.askReceiver();
            context.after(FLUSH_POLL_MS, () -> awaitFlushed(epoch, closing, deadline));
            return;
        }
        // Without a promise there is nothing below it, and nothing for people to know.
        LOGGER.atLevel(epoch == 0 ? Level.DEBUG : Level.INFO)
                .addMarker(LogKeys.FAILOVER)
                .addKeyValue(LogKeys.EPOCH, epoch)
                .log(
                        done
                                ? "streams of lower epochs are closed and flushed"
                                : "frozen: the receiver has not flushed in time");
        follower.tellProgress();
        context.tell(new Event.StreamsClosedBelow(epoch));
    }

    /** This node's data generation, for a rule that still lists the primary itself. {@link #follow} sets it too. */
    public void setGeneration(long generation) {
        run(() -> voice.setGeneration(generation));
    }

    /** Opens the voice for the server's present run, and again with back-off until {@link #closeVoice}. */
    public void openVoice() {
        run(voice::open);
    }

    /** Logs the voice in at the standby that runs now and is to be promoted, so that {@link #openVoice} need not. */
    public void prepareVoice() {
        run(voice::prepare);
    }

    /** Connects the voice anew without closing it: the server does not hear it. */
    public void renewVoice() {
        run(voice::renew);
    }

    /** Closes the voice: before any stop of the server. */
    public void closeVoice() {
        run(() -> voice.close("asked to close"));
    }

    /** Computes with this permit from now on, answered by {@link Event.PermitObeyed}; null reports nothing more. */
    public void setPermit(@Nullable VoicePermit permit) {
        run(() -> {
            served.setPermit(permit);
            voice.setPermit(permit);
        });
    }

    /** What the voice has reported as flushed in this run of the server. */
    public Lsn voiceReported() {
        return voice.reported();
    }

    /** The state of a moment ago. */
    public RelaySnapshot snapshot() {
        return snapshot;
    }

    /**
     * Opens a base-backup stream to a node that serves this epoch: bytes to and from a replication connection of its
     * server. The caller begins with a start-up packet (any user; {@code replication=true}), which the agent there
     * answers. The channel has auto-read off; the reply is that server's version as text. While another member is copied
     * it is refused with {@link PeerStreams#NOT_YOUR_TURN}, to be asked for again.
     */
    public CompletableFuture<PeerStreams.Opened> openBaseBackup(
            NodeId from, HostPort address, long epoch, long generation) {
        return open(StreamKind.BASE_BACKUP, from, address, epoch, generation);
    }

    /**
     * Opens a session to rewind by with the server of a node that serves this epoch. As with a base backup, but the
     * start-up packet must name the role and the database that {@link RewindSource} gives there.
     */
    public CompletableFuture<PeerStreams.Opened> openRewind(
            NodeId from, HostPort address, long epoch, long generation) {
        return open(StreamKind.REWIND, from, address, epoch, generation);
    }

    private CompletableFuture<PeerStreams.Opened> open(
            StreamKind kind, NodeId from, HostPort address, long epoch, long generation) {
        StreamHeader header = new StreamHeader(
                new MemberRef(context.config().self(), generation),
                context.config().incarnation(),
                epoch,
                new Position(0, Lsn.NONE));
        return streams.open(
                address, from, kind, header.encode(), context.config().connectTimeout());
    }

    private void onMembersMoved() {
        voice.recompute();
    }

    private void tick() {
        if (closed) {
            return;
        }
        follower.tick();
        served.tick();
        voice.tick();
        snapshot = new RelaySnapshot(
                follower.snapshot(),
                served.snapshot(),
                voice.snapshot(),
                served.epoch(),
                frozenBelow,
                served.copies().view(),
                served.copies().turns());
    }

    private void run(Runnable task) {
        context.loop().execute(() -> {
            if (!closed) {
                task.run();
            }
        });
    }

    /** Closes everything, the voice first; waits for it, boundedly. */
    @Override
    public void close() {
        Channel socket = listening;
        if (socket != null) {
            socket.close()
                    .awaitUninterruptibly(context.config().connectTimeout().toMillis());
        }
        var _ = context.loop()
                .submit(() -> {
                    if (!closed) {
                        voice.close("the relay stops");
                        served.close();
                        follower.close();
                        closed = true;
                    }
                })
                .awaitUninterruptibly(context.config().connectTimeout().toMillis());
    }
}
