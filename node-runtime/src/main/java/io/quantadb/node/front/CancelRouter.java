package io.quantadb.node.front;

import static io.quantadb.node.common.LogKeys.ADDRESS;
import static io.quantadb.node.common.LogKeys.CLUSTER;
import static io.quantadb.node.common.LogKeys.PID;
import static io.quantadb.node.common.LogKeys.REASON;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.quantadb.node.transport.PeerStreams;
import io.quantadb.node.transport.StreamKind;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings a cancel request to its backend.
 *
 * <ol>
 *   <li>The key of a session of ours says where its backend is: here, or on the node that it was relayed to.
 *   <li>A key that nobody here knows is tried at the PostgreSQL beside us (which ignores a wrong one) and, unless it
 *       came from a peer, forwarded to the primary's node.
 *   <li>Nothing is passed to a local backend that waits for its commit to be acknowledged, or of which that cannot be
 *       told in time: the {@link CancelGuard} decides, on a virtual thread.
 * </ol>
 *
 * <p>Keys are remembered as long as their sessions live, so the sessions' limit bounds the map. At most
 * {@link #IN_FLIGHT_MAX} requests are under way; more are dropped, as PostgreSQL drops one that does not match.
 */
// a write or close that fails ends its channel, and that end is heard
@SuppressWarnings("FutureReturnValueIgnored")
final class CancelRouter {
    static final int IN_FLIGHT_MAX = 64;
    private static final Logger LOGGER = LoggerFactory.getLogger(CancelRouter.class);

    private final Dialer dialer;
    private final PeerStreams peers;
    private final CancelGuard guard;
    private final Duration deadline;
    private final Map<CancelKey, Session> keys = new ConcurrentHashMap<>();
    private final Semaphore inFlight = new Semaphore(IN_FLIGHT_MAX);

    CancelRouter(Dialer dialer, PeerStreams peers, CancelGuard guard, Duration deadline) {
        this.dialer = dialer;
        this.peers = peers;
        this.guard = guard;
        this.deadline = deadline;
    }

    void remember(CancelKey key, Session session) {
        keys.put(key, session);
    }

    void forget(CancelKey key, Session session) {
        keys.remove(key, session);
    }

    /**
     * Carries one request out; the future ends when nothing more will be done for it.
     *
     * @param elsewhere the primary when that is another node, null for a request that came from a peer
     */
    CompletableFuture<@Nullable Void> cancel(
            ByteBuf packet, String clientAddress, EventLoop loop, FrontView.@Nullable Primary elsewhere) {
        CancelKey key = CancelKey.ofRequest(packet);
        byte[] bytes = ByteBufUtil.getBytes(packet);
        packet.release();
        if (key == null || !inFlight.tryAcquire()) {
            return CompletableFuture.completedFuture(null);
        }
        Session session = keys.get(key);
        boolean here = session == null || session.setup().kind() != Session.Kind.RELAYED;
        FrontView.Primary peer = session == null ? elsewhere : session.setup().peer();
        CompletableFuture<@Nullable Void> local =
                here ? cancelHere(key, bytes, loop) : CompletableFuture.completedFuture(null);
        CompletableFuture<@Nullable Void> remote = peer == null
                ? CompletableFuture.completedFuture(null)
                : cancelThere(peer, new PeerHeader.CancelHeader(clientAddress, bytes));
        LOGGER.atDebug()
                .addMarker(CLUSTER)
                .addKeyValue(ADDRESS, clientAddress)
                .addKeyValue(PID, key.pid())
                .log("cancel request");
        return CompletableFuture.allOf(local, remote)
                .orTimeout(2 * deadline.toMillis(), TimeUnit.MILLISECONDS)
                .<@Nullable Void>handle((_, _) -> null)
                .whenComplete((_, _) -> inFlight.release());
    }

    private CompletableFuture<@Nullable Void> cancelHere(CancelKey key, byte[] packet, EventLoop loop) {
        var done = new CompletableFuture<@Nullable Void>();
        Thread.ofVirtual().name("cancel-guard").start(() -> {
            if (waits(key.pid())) {
                LOGGER.atInfo()
                        .addMarker(CLUSTER)
                        .addKeyValue(PID, key.pid())
                        .log("cancel request not passed on: the backend waits for acknowledgement");
                done.complete(null);
            } else {
                send(packet, loop, done);
            }
        });
        return done;
    }

    private boolean waits(int pid) {
        var question = new FutureTask<>(() -> guard.waitsForAcknowledgement(pid));
        Thread.ofVirtual().name("cancel-question").start(question);
        try {
            return question.get(deadline.toMillis(), TimeUnit.MILLISECONDS);
        } catch (Exception e) {
            question.cancel(true);
            LOGGER.atInfo()
                    .addMarker(CLUSTER)
                    .addKeyValue(PID, pid)
                    .addKeyValue(REASON, e.getClass().getSimpleName())
                    .log("cannot tell whether the backend waits for acknowledgement");
            return true;
        }
    }

    /** PostgreSQL closes the connection when it has sent the signal. */
    private void send(byte[] packet, EventLoop loop, CompletableFuture<@Nullable Void> done) {
        dialer.connect(loop).addListener(future -> {
            if (!future.isSuccess()) {
                done.complete(null);
                return;
            }
            Channel channel = ((io.netty.channel.ChannelFuture) future).channel();
            channel.closeFuture().addListener(_ -> done.complete(null));
            channel.writeAndFlush(Unpooled.wrappedBuffer(packet));
            channel.read();
            loop.schedule(() -> channel.close(), deadline.toMillis(), TimeUnit.MILLISECONDS);
        });
    }

    private CompletableFuture<@Nullable Void> cancelThere(FrontView.Primary peer, PeerHeader.CancelHeader header) {
        return peers.open(peer.replication(), peer.node(), StreamKind.SQL, PeerHeader.encode(header), deadline)
                .<@Nullable Void>handle((opened, _) -> {
                    if (opened != null) {
                        opened.channel().close();
                    }
                    return null;
                });
    }
}
