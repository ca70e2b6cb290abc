package io.quantadb.node.relay;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.quantadb.node.cluster.Event;
import io.quantadb.node.cluster.VoicePermit;
import io.quantadb.node.cluster.VoiceRule;
import io.quantadb.node.cluster.VoiceRule.Report;
import io.quantadb.node.common.LogKeys;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeException.ProtocolViolation;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.relay.WalMessages.Status;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one standby that the primary's PostgreSQL waits for: a local replication stream of its own agent, named
 * {@value #NAME}, that reports the position which satisfies the recorded rule ({@link VoiceRule}).
 *
 * <pre>
 *   CLOSED --open--> LOGIN --IDENTIFY_SYSTEM--> IDENTIFY --START_REPLICATION--> CATCHING_UP --> STREAMING
 *      ^--------------------------------- close, or any failure (then again with back-off) --------'
 * </pre>
 *
 * <p><b>Becoming heard.</b> PostgreSQL counts a standby only once its walsender is in state streaming, which it
 * enters in the first pass of its loop that finds everything sent. The voice starts a byte before the flush position,
 * so that the first XLogData (whose end is the server's flush) shows such a pass; then it asks twice for a reply, a
 * few milliseconds apart: the second answer was made in a pass after the one that changed the state.
 *
 * <p><b>Reading.</b> A voice that reads costs the primary a fifth of its throughput, so it stops reading once it
 * streams: the walsender's sent position stands still, and it hears replies all the same. What the voice must know
 * comes from elsewhere. With k &ge; 1 a member's capped flush cannot lie beyond what a walsender of this server sent,
 * and a walsender sends nothing that is not flushed; each XLogData to a member also names the server's flush. So the
 * bound that every report keeps, {@code ownFlush}, is the highest position that this server told the voice or any
 * member's stream. Where a half has k = 0 nobody else need be streaming, and the voice goes on reading to hear of the
 * flush itself. From standing still to reading it connects anew, as the WAL in between may be gone.
 *
 * <p><b>WAL that is gone.</b> The voice has no slot: one would follow what it reports, which lies beyond what its
 * walsender has read whenever the server goes on in another segment at once (a base backup begins so), and would keep
 * nothing. Told that its next WAL is removed it connects anew, as the same voice; commits wait a few milliseconds.
 *
 * <p><b>Signs of life.</b> A status every second keeps wal_sender_timeout away and notices a dead server, which a
 * socket that is not read would not show.
 *
 * <p>Confined to the relay's loop.
 */
final class Voice implements Link.Owner {
    static final String NAME = "quantadb_voice";

    private static final Logger LOGGER = LoggerFactory.getLogger(Voice.class);
    private static final long STATUS_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long SETTLE_MS = 5;
    private static final long LEASE_RETRY_MS = 5;
    /**
     * So long may WAL be removed before the voice has read it, time after time, until it counts as lost. By the clock,
     * since checkpoints that follow each other within milliseconds can win any number of times.
     */
    private static final long MISSING_NANOS = TimeUnit.SECONDS.toNanos(5);

    /** The smallest WAL segment; a position on such a border may begin a file, before which there may be none. */
    private static final long SEGMENT_MIN = 1 << 20;

    enum State {
        CLOSED,
        LOGIN,
        IDENTIFY,
        CATCHING_UP,
        STREAMING
    }

    private final RelayContext context;
    private final LeaseView lease;
    private final Members members;
    private final VoicePolicy policy;
    private final Throttle tellReported;
    private final Backoff backoff;
    private final LoginAhead ahead;

    private @Nullable VoicePermit permit;
    private MemberRef self;
    private long promise;

    private boolean wanted;
    private State state = State.CLOSED;
    private int attempt;
    private @Nullable Link link;
    private @Nullable FrameCutter cutter;
    private boolean reading;
    private boolean announced;
    private boolean sawFlushedEnd;
    private int replies;
    private @Nullable Long missingSince;

    private Lsn ownFlush = Lsn.NONE;
    private Report report = Report.NOTHING;
    private volatile Lsn reported = Lsn.NONE;
    private long statusNanos;
    private boolean retryScheduled;

    Voice(RelayContext context, LeaseView lease, Members members, NodeId self, VoicePolicy policy) {
        this.context = context;
        this.lease = lease;
        this.members = members;
        this.policy = policy;
        this.self = new MemberRef(self, 0);
        this.backoff = new Backoff(
                context.config().reconnectInterval().toMillis(),
                context.config().maxReconnectTries());
        this.ahead = new LoginAhead(context, NAME);
        this.tellReported = context.throttle(() -> context.tell(new Event.VoiceReported(reported)));
    }

    // ---- asked for by the coordinator

    /** It is going to be opened, when the standby that runs now is promoted. */
    void prepare() {
        ahead.begin();
    }

    /**
     * Opens for the server's present run; nothing that an earlier run was told is remembered, and a connection that is
     * there, perhaps to what the server was before, is given up. Every call is answered by one more VoiceOpened.
     */
    void open() {
        drop();
        announced = false;
        wanted = true;
        ownFlush = Lsn.NONE;
        report = Report.NOTHING;
        reported = Lsn.NONE;
        missingSince = null;
        backoff.reset();
        connect();
    }

    void close(String reason) {
        ahead.drop();
        if (!wanted) {
            return;
        }
        wanted = false;
        announced = false;
        drop();
        LOGGER.atInfo()
                .addMarker(LogKeys.REPLICATION)
                .addKeyValue(LogKeys.REASON, reason)
                .log("voice closed");
        context.tell(new Event.VoiceClosed(reason));
    }

    /**
     * Connects anew and goes on from the server's flush, as the same voice: the server lives, but has not got the WAL any
     * more that comes next here, or does not hear this connection.
     */
    void renew() {
        if (wanted && state != State.CLOSED) {
            drop();
            connect();
        }
    }

    void setPermit(@Nullable VoicePermit next) {
        permit = next;
        recompute();
        context.tell(
                next == null ? new Event.PermitObeyed(0, 0) : new Event.PermitObeyed(next.epoch(), next.version()));
        if (state == State.STREAMING) {
            settleReading();
        }
    }

    void setGeneration(long generation) {
        self = new MemberRef(self.node(), generation);
    }

    void promise(long epoch) {
        promise = Math.max(promise, epoch);
    }

    /** Any thread. */
    Lsn reported() {
        return reported;
    }

    // ---- the report

    /** Reports at once when the rule allows more than before. */
    void recompute() {
        VoicePermit current = permit;
        if (current == null || state != State.STREAMING) {
            return;
        }
        ownFlush = Lsn.max(ownFlush, members.serverFlushed());
        boolean held = lease.valid(current.epoch(), context.nanos());
        Report next = policy.next(current, promise, true, members.seen(), ownFlush, report);
        if (next.equals(report)) {
            return;
        }
        if (!held) {
            retryUnderLease();
            return;
        }
        report = next;
        sendStatus(false);
        if (!next.flushed().equals(reported)) {
            reported = next.flushed();
            tellReported.mark();
        }
    }

    /** Nothing tells when a lease is won again, so a report that waits for one looks again soon. */
    private void retryUnderLease() {
        if (!retryScheduled) {
            retryScheduled = true;
            context.after(LEASE_RETRY_MS, () -> {
                retryScheduled = false;
                recompute();
            });
        }
    }

    private void sendStatus(boolean replyWanted) {
        Link open = link;
        if (open != null) {
            statusNanos = context.nanos();
            Status status = new Status(report.flushed(), report.flushed(), report.applied(), replyWanted);
            open.write(WalMessages.status(open.allocator(), status));
            open.flush();
        }
    }

    // ---- the connection

    private void connect() {
        int mine = ++attempt;
        state = State.LOGIN;
        var outcome = new PgLogin.Outcome() {
            @Override
            public void onReady(Channel channel, String serverVersion) {
                if (mine == attempt) {
                    onConnected(channel);
                } else {
                    RelayContext.close(channel);
                }
            }

            @Override
            public void onFailed(String reason) {
                if (mine == attempt) {
                    onLost(reason);
                }
            }
        };
        if (!ahead.take(outcome)) {
            PgLogin.start(context.loop(), context.config(), NAME, outcome);
        }
    }

    private void onConnected(Channel channel) {
        Link open = new Link(channel, context.loop(), this);
        link = open;
        cutter = new FrameCutter(open.allocator());
        state = State.IDENTIFY;
        sawFlushedEnd = false;
        replies = 0;
        reading = true;
        open.write(WalMessages.query(open.allocator(), "IDENTIFY_SYSTEM"));
        open.flush();
        open.read(true);
    }

    @Override
    public void onBytes(Link from, ByteBuf bytes) {
        FrameCutter frames = cutter;
        if (from != link || frames == null) {
            bytes.release();
            return;
        }
        frames.feed(bytes, (tag, frame) -> {
            try {
                onFrame(from, tag, frame);
            } finally {
                frame.release();
            }
        });
    }

    private void onFrame(Link open, byte tag, ByteBuf frame) {
        switch (tag) {
            case WalMessages.DATA_ROW -> {
                if (state == State.IDENTIFY) {
                    onIdentified(open, frame);
                }
            }
            case WalMessages.COPY_BOTH -> sendStatus(false);
            case WalMessages.COPY_DATA -> onCopyData(frame);
            case WalMessages.ERROR -> {
                WalMessages.ServerError error = WalMessages.error(frame);
                if (!error.walIsRemoved() || missesForGood()) {
                    throw new ProtocolViolation("08006", error.toString());
                }
                renew();
            }
            case WalMessages.COPY_DONE -> throw new ProtocolViolation("08006", "the server ended the stream");
            default -> {
                // descriptions, completions, ReadyForQuery
            }
        }
    }

    private boolean missesForGood() {
        long now = context.nanos();
        if (missingSince == null) {
            missingSince = now;
        }
        return now - missingSince > MISSING_NANOS;
    }

    private void onIdentified(Link open, ByteBuf frame) {
        @Nullable String[] row = WalMessages.row(frame);
        WalMessages.require(row.length >= 3 && row[1] != null && row[2] != null, "an odd answer to IDENTIFY_SYSTEM");
        Lsn flushed = Lsn.parse(String.valueOf(row[2]));
        // the server may have been started anew meanwhile: nothing of before may be reported beyond what it has now
        ownFlush = flushed;
        report = new Report(Lsn.min(report.flushed(), flushed), Lsn.min(report.applied(), flushed));
        reported = report.flushed();
        boolean border = flushed.value() % SEGMENT_MIN == 0;
        sawFlushedEnd = border;
        state = State.CATCHING_UP;
        Lsn start = border ? flushed : flushed.plus(-1);
        String command = "START_REPLICATION PHYSICAL " + start + " TIMELINE " + row[1];
        open.write(WalMessages.query(open.allocator(), command));
        open.flush();
    }

    private void onCopyData(ByteBuf frame) {
        Lsn serverEnd = WalMessages.serverEnd(frame);
        ownFlush = Lsn.max(ownFlush, serverEnd);
        if (state != State.CATCHING_UP) {
            return;
        }
        if (WalMessages.kind(frame) == 'w') {
            if (WalMessages.dataEnd(frame).atLeast(serverEnd) && !sawFlushedEnd) {
                sawFlushedEnd = true;
                sendStatus(true);
            }
        } else if (sawFlushedEnd) {
            onReply();
        } else {
            sendStatus(false);
        }
    }

    private void onReply() {
        replies++;
        if (replies >= 2) {
            onStreaming();
            return;
        }
        int mine = attempt;
        context.after(SETTLE_MS, () -> {
            if (mine == attempt && state == State.CATCHING_UP) {
                sendStatus(true);
            }
        });
    }

    private void onStreaming() {
        state = State.STREAMING;
        backoff.reset();
        missingSince = null;
        if (!announced) {
            announced = true;
            LOGGER.atInfo()
                    .addMarker(LogKeys.REPLICATION)
                    .addKeyValue(LogKeys.LSN, ownFlush)
                    .log("voice opened");
            context.tell(new Event.VoiceOpened());
        }
        recompute();
        settleReading();
    }

    private void settleReading() {
        VoicePermit current = permit;
        boolean wants = current == null || policy.needsOwnFlush(current);
        Link open = link;
        if (wants == reading || open == null) {
            return;
        }
        if (wants) {
            renew();
        } else {
            reading = false;
            open.read(false);
        }
    }

    @Override
    public void onBatchEnd(Link from) {
        if (from == link) {
            recompute();
        }
    }

    @Override
    public void onWritable(Link from) {
        // statuses are a few bytes a piece and the newest says everything; nothing waits for room
    }

    @Override
    public void onClosed(Link from, String reason) {
        if (from == link) {
            onLost(reason);
        }
    }

    private void onLost(String reason) {
        drop();
        if (announced) {
            announced = false;
            LOGGER.atWarn()
                    .addMarker(LogKeys.REPLICATION)
                    .addKeyValue(LogKeys.REASON, reason)
                    .log("voice lost");
            context.tell(new Event.VoiceClosed(reason));
        }
        int mine = attempt;
        context.after(backoff.failed(), () -> {
            if (mine == attempt && wanted) {
                connect();
            }
        });
    }

    private void drop() {
        attempt++;
        state = State.CLOSED;
        Link open = link;
        link = null;
        if (open != null) {
            // a farewell, so that the server's log does not call it a lost connection
            open.close(
                    open.allocator().buffer(5).writeByte(WalMessages.TERMINATE).writeInt(4));
        }
        if (cutter != null) {
            cutter.release();
            cutter = null;
        }
    }

    /** Comes a few times a second. */
    void tick() {
        if (state == State.CATCHING_UP || state == State.STREAMING) {
            if (context.nanos() - statusNanos >= STATUS_NANOS) {
                sendStatus(state == State.CATCHING_UP);
            }
        }
    }

    RelaySnapshot.VoiceState snapshot() {
        return new RelaySnapshot.VoiceState(
                state == State.STREAMING, state == State.STREAMING && reading, reported, report.applied(), ownFlush);
    }
}
