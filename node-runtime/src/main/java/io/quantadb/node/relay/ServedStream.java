package io.quantadb.node.relay;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.quantadb.node.cluster.Event;
import io.quantadb.node.cluster.LagClock;
import io.quantadb.node.cluster.VoiceRule.Seen;
import io.quantadb.node.common.LogKeys;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeException.ProtocolViolation;
import io.quantadb.node.relay.ReplicationTracker.Phase;
import io.quantadb.node.relay.WalMessages.Status;
import io.quantadb.node.transport.StreamKind;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One member's stream through this agent: the peer's channel on one side, a connection to the local server on the
 * other. WAL streams are read frame by frame and their positions followed. Base backups begin with a start-up, which is
 * answered here (the agent has logged in already, as itself), and then pass as bytes; so do the sessions of a member that
 * rewinds, which are another role's.
 *
 * <p>A member's stream runs by the slot that this server keeps for it, so the WAL that it has not flushed stays; the slot
 * follows the positions that count, which are capped here.
 *
 * <p>A status reaches the voice first, for which commits wait. The member's own walsender only keeps accounts by it, and is
 * woken for them a progress interval apart at most, unless it asked or is asked.
 *
 * <p>Any frame that does not fit ends the stream: a member whose positions are in doubt acknowledges nothing. Confined
 * to the relay's loop.
 */
final class ServedStream {
    private static final Logger LOGGER = LoggerFactory.getLogger(ServedStream.class);
    /** As long as a member waits for it. */
    private static final Duration CHECKPOINT_WAIT = Duration.ofMinutes(10);

    private static final Duration PAUSE_OF_A_LIMITED = Duration.ofSeconds(2);

    /** Hears of progress and of the end, on the relay's loop. */
    interface Owner {
        /** The member's positions or the server's flush have moved. */
        void onMoved();

        void onEnded(ServedStream stream);

        /** Whether commits wait for this member, so that nothing may wait for its batch to be full. */
        default boolean awaits(MemberRef member) {
            return true;
        }

        /** So many bytes of the server's go to the member. */
        default void onPassed(MemberRef member, int bytes) {}

        /** The server has sent all of a base backup; the stream stays open until the member has it on its disk. */
        default void onCopied(ServedStream stream) {}
    }

    private final RelayContext context;
    private final StreamHeader header;
    private final StreamKind kind;
    private final @Nullable String slot;
    private final Owner owner;
    private final Link peer;
    private final Link server;
    private final @Nullable FrameCutter fromPeer;
    private final @Nullable FrameCutter fromServer;
    private final ReplicationTracker tracker;
    private final Throttle progress;
    private final Throttle account;
    private final StartupAnswer startup;
    private final LagClock lag = new LagClock();
    private final WalBatch batch;
    private final BackupWatch backup = new BackupWatch();
    private boolean startedUp;
    private boolean askedFor;
    private long movedNanos;
    private boolean ended;
    private boolean broke;
    private boolean moved;

    /** What came in this batch is not only for the server's accounts. */
    private boolean serverWaits;

    /** The server has asked the member for a status. */
    private boolean serverAsked;

    private @Nullable Seen told;

    private long bytes;
    private long batches;
    private long lastMessageNanos;
    private long roundTripNanos = -1;
    private Lsn sampleEnd = Lsn.NONE;
    private long sampleNanos;

    ServedStream(
            RelayContext context,
            StreamHeader header,
            StreamKind kind,
            Channel peer,
            Channel server,
            String serverVersion,
            @Nullable String slot,
            RewindSource.@Nullable Login login,
            Owner owner) {
        this.context = context;
        this.header = header;
        this.kind = kind;
        this.slot = slot;
        this.owner = owner;
        boolean wal = kind == StreamKind.WAL;
        this.fromPeer = wal ? new FrameCutter(peer.alloc()) : null;
        this.fromServer = wal ? new FrameCutter(server.alloc()) : null;
        this.tracker = new ReplicationTracker(header.checked().lsn());
        this.progress = context.throttle(this::tellProgress);
        this.lastMessageNanos = context.nanos();
        this.movedNanos = context.nanos();
        peer.config()
                .setWriteBufferWaterMark(UnixSockets.waterMark(context.config().streamBufferBytes()));
        this.peer = new Link(peer, context.loop(), new PeerSide());
        this.server = new Link(server, context.loop(), new ServerSide());
        this.account = context.throttle(this.server::flush);
        this.startup = new StartupAnswer(this.peer, serverVersion, login);
        this.batch = new WalBatch(context, this.peer::flush);
    }

    void start() {
        LOGGER.atInfo()
                .addMarker(LogKeys.REPLICATION)
                .addKeyValue(LogKeys.PEER, header.member().node())
                .addKeyValue(LogKeys.GENERATION, header.member().generation())
                .addKeyValue(LogKeys.EPOCH, header.epoch())
                .addKeyValue(LogKeys.LSN, header.checked().lsn())
                .log(
                        switch (kind) {
                            case WAL -> "member streams";
                            case REWIND -> "member reads what it needs to rewind";
                            default -> "member takes a base backup";
                        });
        peer.read(true);
        server.read(true);
    }

    StreamHeader header() {
        return header;
    }

    boolean isWal() {
        return kind == StreamKind.WAL;
    }

    boolean isBackup() {
        return kind == StreamKind.BASE_BACKUP;
    }

    /** Whether it ended by itself, and nobody here wanted that. */
    boolean broke() {
        return broke;
    }

    BackupWatch backup() {
        return backup;
    }

    /**
     * Whether this base backup has not moved for longer than it may: as little as PostgreSQL pauses for a rate, but for the
     * checkpoint before the first byte.
     */
    boolean standsStill() {
        Duration pause = askedFor && !backup.begun()
                ? CHECKPOINT_WAIT
                : context.config().copyTimeout().plus(PAUSE_OF_A_LIMITED);
        return isBackup() && !backup.complete() && context.nanos() - movedNanos > pause.toNanos();
    }

    /** What the member has reported on this stream since it last started, or null when nothing yet. */
    @Nullable
    Seen seen() {
        Status status = tracker.status();
        if (!isWal() || status.flushed().isNone()) {
            return null;
        }
        return new Seen(header.member(), header.epoch(), status.flushed(), status.applied());
    }

    Lsn serverFlushed() {
        return tracker.serverEnd();
    }

    /** Ends the stream; completes when the peer's side is closed, after which no byte of it arrives. */
    ChannelFuture close(String reason) {
        peer.close();
        server.close();
        end(reason);
        return peer.closing();
    }

    private void end(String reason) {
        if (ended) {
            return;
        }
        ended = true;
        startup.release();
        if (fromPeer != null && fromServer != null) {
            fromPeer.release();
            fromServer.release();
        }
        LOGGER.atInfo()
                .addMarker(LogKeys.REPLICATION)
                .addKeyValue(LogKeys.PEER, header.member().node())
                .addKeyValue(LogKeys.GENERATION, header.member().generation())
                .addKeyValue(LogKeys.EPOCH, header.epoch())
                .addKeyValue(LogKeys.REASON, reason)
                .log("member's stream ended");
        owner.onEnded(this);
        if (isWal()) {
            context.tell(new Event.MemberGone(header.member(), header.epoch()));
        }
    }

    private void tellProgress() {
        Seen seen = seen();
        if (seen != null && !ended && !seen.equals(told)) {
            told = seen;
            context.tell(new Event.MemberProgress(seen.member(), seen.epoch(), seen.flushed(), seen.applied()));
        }
    }

    private void onPeerFrame(byte tag, ByteBuf frame) {
        ByteBuf passes = frame;
        try {
            switch (tag) {
                case WalMessages.QUERY -> {
                    serverWaits = true;
                    String text = WalMessages.queryText(frame);
                    if (!StartCommand.allowed(text)) {
                        throw new ProtocolViolation("42501", "a member may not ask for this on a WAL stream");
                    }
                    tracker.onQuery(text);
                    passes = bySlot(text, frame);
                }
                case WalMessages.COPY_DATA -> onStatus(frame);
                // passes; a status that comes later still counts no further than what was delivered
                case WalMessages.COPY_DONE, WalMessages.TERMINATE -> serverWaits = true;
                default -> throw new ProtocolViolation("08P01", "an unexpected message of a member");
            }
        } catch (RuntimeException e) {
            frame.release();
            throw e;
        }
        pass(passes, server, peer);
    }

    /** A start goes on by this member's slot, whatever slot it names itself; anything else as it is. */
    private ByteBuf bySlot(String text, ByteBuf frame) {
        StartCommand start = StartCommand.parse(text).orElse(null);
        if (start == null) {
            return frame;
        }
        ByteBuf out = WalMessages.query(server.allocator(), start.by(slot).text());
        frame.release();
        return out;
    }

    private void onStatus(ByteBuf frame) {
        tracker.onClientCopyData(frame);
        if (WalMessages.kind(frame) != 'r') {
            serverWaits = true;
            return;
        }
        Status capped = tracker.status();
        lag.flushed(capped.flushed());
        WalMessages.rewrite(frame, capped);
        serverWaits |= capped.replyWanted() || serverAsked;
        serverAsked = false;
        long now = context.nanos();
        lastMessageNanos = now;
        if (!sampleEnd.isNone() && capped.written().atLeast(sampleEnd)) {
            roundTripNanos = now - sampleNanos;
            sampleEnd = Lsn.NONE;
        }
        // Whatever it says: the server's own flush may have moved since the last one, and made it count.
        moved = true;
    }

    private void onServerFrame(byte tag, ByteBuf frame) {
        Lsn before = tracker.delivered();
        try {
            tracker.onServer(tag, frame);
            serverAsked |= tag == WalMessages.COPY_DATA && WalMessages.asksForStatus(frame);
        } catch (RuntimeException e) {
            frame.release();
            throw e;
        }
        Lsn delivered = tracker.delivered();
        if (tracker.phase() == Phase.COPY && sampleEnd.isNone() && delivered.compareTo(before) > 0) {
            sampleEnd = delivered;
            sampleNanos = context.nanos();
        }
        if (tracker.phase() == Phase.COPY) {
            lag.written(Lsn.max(delivered, tracker.serverEnd()), context.nanos());
        }
        batch.added();
        pass(frame, peer, server);
    }

    private static void pass(ByteBuf bytes, Link to, Link from) {
        to.write(bytes);
        if (!to.writable()) {
            from.read(false);
        }
    }

    RelaySnapshot.Member snapshot(StreamCounts counts) {
        Status status = tracker.status();
        Lsn end = Lsn.max(tracker.serverEnd(), tracker.delivered());
        return new RelaySnapshot.Member(
                header.member(),
                header.epoch(),
                tracker.streaming(),
                tracker.delivered(),
                status.flushed(),
                status.applied(),
                status.flushed().isNone() ? -1 : Math.max(0, end.minus(status.flushed())),
                bytes,
                batches,
                roundTripNanos,
                lastMessageNanos,
                lag.nanos(context.nanos()),
                counts.bytesPerSecond(header.member().node()),
                counts.errors(header.member().node()));
    }

    private final class PeerSide implements Link.Owner {
        @Override
        public void onBytes(Link link, ByteBuf data) {
            if (fromPeer != null) {
                fromPeer.feed(data, ServedStream.this::onPeerFrame);
                return;
            }
            serverWaits = true;
            movedNanos = context.nanos();
            if (startedUp) {
                askedFor = true;
                pass(data, server, peer);
            } else {
                ByteBuf rest = startup.feed(data);
                if (rest != null) {
                    startedUp = true;
                    askedFor = rest.isReadable();
                    pass(rest, server, peer);
                }
            }
        }

        @Override
        public void onBatchEnd(Link link) {
            boolean reported = moved;
            moved = false;
            if (reported) {
                owner.onMoved();
                progress.mark();
            }
            if (serverWaits) {
                serverWaits = false;
                server.flush();
            } else if (reported) {
                account.mark();
            }
        }

        @Override
        public void onWritable(Link link) {
            server.read(true);
        }

        @Override
        public void onClosed(Link link, String reason) {
            server.close();
            broke = true;
            end(reason);
        }
    }

    private final class ServerSide implements Link.Owner {
        @Override
        public void onBytes(Link link, ByteBuf data) {
            bytes += data.readableBytes();
            batches++;
            owner.onPassed(header.member(), data.readableBytes());
            if (fromServer == null) {
                movedNanos = context.nanos();
                boolean whole = backup.complete();
                if (isBackup()) {
                    backup.feed(data);
                }
                pass(data, peer, server);
                if (backup.complete() && !whole) {
                    owner.onCopied(ServedStream.this);
                }
            } else {
                fromServer.feed(data, ServedStream.this::onServerFrame);
            }
        }

        @Override
        public void onBatchEnd(Link link) {
            batch.ended(!isWal() || !tracker.streaming() || owner.awaits(header.member()));
        }

        @Override
        public void onWritable(Link link) {
            peer.read(true);
        }

        @Override
        public void onClosed(Link link, String reason) {
            // what the server still said (why it stopped) goes out before the end
            peer.close(io.netty.buffer.Unpooled.EMPTY_BUFFER);
            broke = true;
            end("local server: " + reason);
        }
    }
}
