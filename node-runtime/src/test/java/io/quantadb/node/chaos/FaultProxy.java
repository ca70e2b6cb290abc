package io.quantadb.node.chaos;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Stands in TCP connections and makes them bad: late, slow, reset, or cut in one direction. Everything happens on one
 * event loop; what is asked from outside is done when the call returns.
 */
final class FaultProxy implements AutoCloseable {
    private static final long ANSWER_S = 10;

    private final EventLoopGroup loop = new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("fault-proxy", true), NioIoHandler.newFactory());
    private final Map<Link, LinkState> links = new HashMap<>();
    private final Set<Connection> connections = new HashSet<>();
    private final List<Channel> listeners = new ArrayList<>();
    private final Random random;

    /** @param seed decides jitter and drops */
    FaultProxy(long seed) {
        this.random = new Random(seed);
    }

    /** Listens, and leads whoever dials there on. */
    void listen(Route route) {
        LinkState there = state(route.there());
        LinkState back = state(route.there().reversed());
        Channel listener = new ServerBootstrap()
                .group(loop)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel dialler) {
                        connections.add(new Connection(route, there, back, dialler, connections::remove));
                    }
                })
                .bind(route.listen())
                .syncUninterruptibly()
                .channel();
        listeners.add(listener);
    }

    /** The port of the only listener, for tests that let the system choose. */
    int port() {
        return ((java.net.InetSocketAddress) listeners.getLast().localAddress()).getPort();
    }

    private LinkState state(Link link) {
        return onLoop(() -> links.computeIfAbsent(link, key -> new LinkState(random)));
    }

    /** What is wrong with this link from now on; what it holds is passed on as that permits. */
    void set(Link link, LinkFaults faults) {
        onLoop(() -> {
            links.computeIfAbsent(link, key -> new LinkState(random)).set(faults);
            return null;
        });
    }

    LinkFaults faults(Link link) {
        LinkState asked = state(link);
        return onLoop(asked::faults);
    }

    /** Resets every connection that uses this link. */
    int reset(Link link) {
        return onLoop(() -> {
            Set<Connection> all =
                    links.computeIfAbsent(link, key -> new LinkState(random)).connections();
            all.forEach(Connection::reset);
            return all.size();
        });
    }

    int connections() {
        return onLoop(connections::size);
    }

    long heldBytes() {
        return onLoop(
                () -> connections.stream().mapToLong(Connection::heldBytes).sum());
    }

    /** How many bytes have passed this link since the start. */
    long bytes(Link link) {
        LinkState asked = state(link);
        return onLoop(asked::bytes);
    }

    private <T> T onLoop(Callable<T> work) {
        try {
            return loop.submit(work).get(ANSWER_S, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while the proxy was asked", e);
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException("the proxy did not do what it was asked", e);
        }
    }

    @Override
    public void close() {
        listeners.forEach(listener -> listener.close().awaitUninterruptibly(5, TimeUnit.SECONDS));
        onLoop(() -> {
            Set.copyOf(connections).forEach(Connection::reset);
            return null;
        });
        var _ = loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(5, TimeUnit.SECONDS);
    }
}
