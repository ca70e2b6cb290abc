package io.quantadb.node.transport;

import static io.quantadb.node.common.LogKeys.ADDRESS;
import static io.quantadb.node.common.LogKeys.PEER;
import static io.quantadb.node.common.LogKeys.RAFT;
import static io.quantadb.node.common.LogKeys.REASON;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.EventLoop;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import java.net.InetAddress;
import java.time.Duration;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connection to one peer that this node dials and sends on, kept up for as long as the peer is one.
 *
 * <pre>
 *            +--------- failed, or lost soon after --------+
 *            v                                             |
 *  start -> DIALLING --hello answered--> UP --lost--> (at once) DIALLING
 *            ^   \--failed--> BACK-OFF --due, or the peer dialled us--> DIALLING
 * </pre>
 *
 * <p>Back-off doubles from {@value #FIRST_BACKOFF_MS} ms to {@value #LAST_BACKOFF_MS} ms, less up to half of it at
 * random. Names are resolved at each dial and their addresses tried in turn; while the peer's own connection to this
 * node stands, each dial that follows a back-off goes to where that one comes from, and to the name after it. Confined
 * to the network's event loop, but for {@link #send}, which any thread may call.
 */
// A failed write or close ends in channelInactive, which is where it is dealt with.
@SuppressWarnings("FutureReturnValueIgnored")
final class PeerLink {
    /** Told on the event loop. */
    interface Listener {
        void onUp(NodeId peer);

        void onDown(NodeId peer, boolean reset);
    }

    static final int FIRST_BACKOFF_MS = 20;
    static final int LAST_BACKOFF_MS = 500;

    /** A connection that lived so long was a good one: dial at once when it ends. */
    private static final Duration GOOD_AFTER = Duration.ofSeconds(1);

    /** A dial normally takes a few milliseconds; one that takes this long goes to where nobody is. */
    private static final Duration HANGS_AFTER = Duration.ofMillis(400);

    static final int MAX_QUEUED_MESSAGES = 1024;
    static final long MAX_QUEUED_BYTES = 8L * 1024 * 1024;
    private static final Logger LOGGER = LoggerFactory.getLogger(PeerLink.class);

    private final NetContext net;
    private final EventLoop loop;
    private final NodeId peer;
    private final Listener listener;

    private HostPort address;
    private @Nullable PeerDial dialling;
    private @Nullable PeerDial connected;
    private @Nullable ScheduledFuture<?> retry;
    private int failures;
    private int dials;
    private long upSinceNanos;
    private long dialSinceNanos;
    /** Where the next dial goes instead of the address; for one dial. */
    private @Nullable InetAddress hint;
    /** Where the peer's own connection to this node comes from, for as long as it stands. */
    private @Nullable InetAddress origin;

    private boolean closed;

    private volatile @Nullable Outgoing outgoing;

    PeerLink(NetContext net, EventLoop loop, NodeId peer, HostPort address, Listener listener) {
        this.net = net;
        this.loop = loop;
        this.peer = peer;
        this.address = address;
        this.listener = listener;
    }

    /**
     * Hands one message to the connection; false, and nothing done, when there is none or its queue is full. Back-
     * pressure: a peer that reads slowly fills the socket, then the queue ({@value #MAX_QUEUED_MESSAGES} messages,
     * {@link #MAX_QUEUED_BYTES}, or Netty's high-water mark); then new messages are dropped here, the sender learns it,
     * and Raft sends again what still matters.
     */
    boolean send(byte kind, byte[] payload) {
        Outgoing now = outgoing;
        return now != null && now.offer(kind, payload);
    }

    /** What is queued on one connection; counts are taken back when the bytes have reached the socket. */
    private static final class Outgoing {
        private final Channel channel;
        private final AtomicInteger messages = new AtomicInteger();
        private final AtomicLong bytes = new AtomicLong();

        Outgoing(Channel channel) {
            this.channel = channel;
        }

        boolean offer(byte kind, byte[] payload) {
            if (!channel.isWritable()) {
                return false;
            }
            if (messages.incrementAndGet() > MAX_QUEUED_MESSAGES) {
                messages.decrementAndGet();
                return false;
            }
            if (bytes.addAndGet(payload.length) > MAX_QUEUED_BYTES) {
                bytes.addAndGet(-payload.length);
                messages.decrementAndGet();
                return false;
            }
            int size = payload.length;
            ChannelFuture written = channel.writeAndFlush(PeerFrame.encode(kind, payload));
            written.addListener((ChannelFutureListener) done -> {
                messages.decrementAndGet();
                bytes.addAndGet(-size);
            });
            return true;
        }
    }

    void dialNow() {
        if (closed || dialling != null) {
            return;
        }
        if (retry != null) {
            retry.cancel(false);
            retry = null;
        }
        InetAddress there = hint;
        hint = null;
        dialSinceNanos = net.clock().nanos();
        dialling = new PeerDial(net, loop, peer, address, there == null ? dials++ : dials, there, this);
        dialling.start();
    }

    /** The peer has another address now: the old connection, if any, is given up. */
    void moveTo(HostPort to) {
        if (to.equals(address)) {
            return;
        }
        abandon();
        address = to;
        dials = 0;
        failures = 0;
        dialNow();
    }

    /**
     * The peer has dialled us, so it lives: do not sit out a back-off or a dial that hangs, and do not trust a
     * connection to a process that was here before it. The next dial goes to where it came from, whatever the name
     * servers still say; its certificate is judged as always, and a failure leads back to the name. A dial that is
     * under way may end first: it may be the one that finds the peer.
     */
    void onPeerDialled(long process, @Nullable InetAddress from) {
        boolean stale = connected != null && connected.process() != process;
        boolean hangs = dialling != null && net.clock().nanos() - dialSinceNanos > HANGS_AFTER.toNanos();
        if (stale || hangs) {
            LOGGER.atDebug()
                    .addMarker(RAFT)
                    .addKeyValue(PEER, peer)
                    .log("peer has a new process or place, dialling it there");
            abandon();
        }
        origin = from;
        if (connected == null) {
            hint = from;
            dialNow();
        }
    }

    /** The peer's own connection has ended: where it came from says nothing any more. */
    void onPeerGone() {
        origin = null;
        hint = null;
    }

    void onUp(PeerDial dial, Channel channel) {
        dialling = null;
        hint = null;
        connected = dial;
        upSinceNanos = net.clock().nanos();
        outgoing = new Outgoing(channel);
        net.places().reached(address.host(), channel.remoteAddress());
        LOGGER.atInfo()
                .addMarker(RAFT)
                .addKeyValue(PEER, peer)
                .addKeyValue(ADDRESS, address)
                .log("connected to peer");
        listener.onUp(peer);
    }

    void onFailed(PeerDial dial, Throwable cause) {
        if (dialling != dial) {
            return;
        }
        dialling = null;
        String words = PeerIdentity.words(cause);
        if (!dial.guessed() && PeerIdentity.isRefusal(cause)) {
            net.refusals().warn("cannot connect to peer " + peer, address.toString(), words);
        } else {
            LOGGER.atDebug()
                    .addMarker(RAFT)
                    .addKeyValue(PEER, peer)
                    .addKeyValue(ADDRESS, address)
                    .addKeyValue(REASON, words)
                    .log("peer not reached");
        }
        if (dial.guessed()) {
            // Who listens where a peer's connections come from (an address of several, a gateway) says nothing of the
            // peer.
            dialNow();
            return;
        }
        failures++;
        if (hint == null) {
            scheduleDial();
        } else {
            dialNow();
        }
        listener.onDown(peer, PeerIdentity.isReset(cause));
    }

    void onLost(PeerDial dial, @Nullable Throwable cause) {
        if (connected != dial) {
            return;
        }
        connected = null;
        outgoing = null;
        net.places().left(address.host());
        LOGGER.atInfo()
                .addMarker(RAFT)
                .addKeyValue(PEER, peer)
                .addKeyValue(ADDRESS, address)
                .addKeyValue(REASON, cause == null ? "closed by peer" : PeerIdentity.words(cause))
                .log("connection to peer lost");
        if (net.clock().nanos() - upSinceNanos >= GOOD_AFTER.toNanos()) {
            failures = 0;
            dialNow();
        } else {
            failures++;
            scheduleDial();
        }
        listener.onDown(peer, PeerIdentity.isReset(cause));
    }

    private void scheduleDial() {
        if (closed) {
            return;
        }
        long ceiling = Math.min(LAST_BACKOFF_MS, (long) FIRST_BACKOFF_MS << Math.min(failures - 1, 10));
        long delay = ceiling - net.random().nextLong(ceiling / 2 + 1);
        retry = loop.schedule(
                () -> {
                    retry = null;
                    hint = origin;
                    dialNow();
                },
                delay,
                TimeUnit.MILLISECONDS);
    }

    private void abandon() {
        PeerDial dial = dialling;
        dialling = null;
        if (dial != null) {
            dial.abandon();
        }
        PeerDial old = connected;
        connected = null;
        outgoing = null;
        if (old != null) {
            net.places().left(address.host());
            old.abandon();
            listener.onDown(peer, false);
        }
    }

    void close() {
        closed = true;
        if (retry != null) {
            retry.cancel(false);
            retry = null;
        }
        abandon();
    }
}
