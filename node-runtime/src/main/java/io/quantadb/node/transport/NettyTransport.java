package io.quantadb.node.transport;

import io.netty.channel.EventLoopGroup;
import io.quantadb.node.common.MonotonicClock;
import io.quantadb.node.common.NodeException.LocalFault;
import java.net.InetAddress;
import java.security.Security;
import java.time.InstantSource;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;

/**
 * Owns what the two ports of a node live on, and makes them: threads, TLS contexts, the resolver.
 *
 * <pre>
 * quantadb-net     1   control messages (Raft port), nothing else
 * quantadb-bulk    1   streams (replication port); relay and front put their channels here too
 * quantadb-tls-N   0-2 handshakes' arithmetic, changed certificate files; end when idle
 * quantadb-dns-N   0-16 names being looked up; end when idle
 * </pre>
 *
 * <p>Start: construct (reads the certificates), {@code network().start(...)}, {@code streams().start()}; the ports are
 * bound by these two. {@link #close} closes both and waits a few seconds at most for the threads.
 */
public final class NettyTransport implements AutoCloseable {
    private static final int CLOSE_WAIT_S = 3;
    private static final int HELPERS = 2;
    private static final int HELPER_QUEUE = 1024;

    private final Sockets sockets;
    private final EventLoopGroup control;
    private final EventLoopGroup bulk;
    private final AddressResolver resolver;
    private final ThreadPoolExecutor helper;
    private final TlsContexts tls;
    private final NettyPeerNetwork network;
    private final NettyPeerStreams streams;

    /**
     * @param wall for the validity of certificates
     * @param random for back-off jitter and this process's random identity
     * @throws LocalFault when the certificate files cannot be used; says which and what to do
     */
    public NettyTransport(TransportConfig config, MonotonicClock clock, InstantSource wall, RandomGenerator random) {
        this(config, clock, wall, random, Sockets.best(), InetAddress::getAllByName);
    }

    NettyTransport(
            TransportConfig config,
            MonotonicClock clock,
            InstantSource wall,
            RandomGenerator random,
            Sockets sockets,
            AddressResolver.Lookup lookup) {
        forgetNames();
        this.sockets = sockets;
        this.helper = helpers();
        this.tls = new TlsContexts(config.tls(), config.self(), clock, wall, helper);
        this.resolver = new AddressResolver(lookup);
        this.control = sockets.group(1, "quantadb-net", Thread.MAX_PRIORITY);
        this.bulk = sockets.group(1, "quantadb-bulk", Thread.NORM_PRIORITY);
        var net = new NetContext(
                config,
                sockets,
                control,
                bulk,
                tls,
                resolver,
                new PeerPlaces(),
                helper,
                new RefusalLog(clock),
                clock,
                random,
                random.nextLong());
        this.network = new NettyPeerNetwork(net);
        this.streams = new NettyPeerStreams(net);
    }

    /**
     * The JVM would remember a moved pod's old address for 30 s, and a failed look-up for 10 s. It reads this once, when
     * the first name is looked up: a process calls it before anything else.
     */
    public static void forgetNames() {
        Security.setProperty("networkaddress.cache.ttl", "0");
        Security.setProperty("networkaddress.cache.negative.ttl", "0");
    }

    private static ThreadPoolExecutor helpers() {
        var pool = new ThreadPoolExecutor(
                HELPERS,
                HELPERS,
                5,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(HELPER_QUEUE),
                Thread.ofPlatform().daemon().name("quantadb-tls-", 1).factory());
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }

    public PeerNetwork network() {
        return network;
    }

    public NettyPeerStreams streams() {
        return streams;
    }

    /** Who may connect to either port from now on; control connections of others are closed. Any thread. */
    public void setPolicy(PeerPolicy policy) {
        network.setPolicy(policy);
        streams.setPolicy(policy);
    }

    /** The event loops of streams, for channels that belong to one; never block on them. */
    public EventLoopGroup bulkGroup() {
        return bulk;
    }

    /** Channel classes that fit {@link #bulkGroup}. */
    public Sockets sockets() {
        return sockets;
    }

    public TlsContexts tls() {
        return tls;
    }

    @Override
    public void close() {
        network.close();
        streams.close();
        var controlDone = control.shutdownGracefully(0, 1, TimeUnit.SECONDS);
        var bulkDone = bulk.shutdownGracefully(0, 1, TimeUnit.SECONDS);
        controlDone.awaitUninterruptibly(CLOSE_WAIT_S, TimeUnit.SECONDS);
        bulkDone.awaitUninterruptibly(CLOSE_WAIT_S, TimeUnit.SECONDS);
        resolver.close();
        helper.shutdownNow();
    }
}
