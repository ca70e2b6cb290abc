package io.quantadb.node.front;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.handler.ssl.SslContext;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.transport.PeerStreams;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Properties;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/** One node's front with a lease and a cancel guard in the test's hand. */
final class TestingFront implements AutoCloseable {
    final NodeId self;
    final AtomicBoolean lease = new AtomicBoolean(true);
    final AtomicBoolean waits = new AtomicBoolean();
    final java.util.concurrent.atomic.AtomicInteger asked = new java.util.concurrent.atomic.AtomicInteger();
    final LinkedBlockingQueue<Long> cancelledWaits = new LinkedBlockingQueue<>();
    final EventLoopGroup group;
    final PeerStreams peers;
    final SqlFront front;

    TestingFront(String name, Path socket, PeerStreams peers) {
        this(
                name,
                socket,
                peers,
                null,
                config -> config,
                new MultiThreadIoEventLoopGroup(2, EpollIoHandler.newFactory()));
    }

    TestingFront(
            String name,
            Path socket,
            PeerStreams peers,
            Supplier<SslContext> tls,
            UnaryOperator<FrontConfig> change,
            EventLoopGroup group) {
        this.self = new NodeId(name);
        this.group = group;
        this.peers = peers;
        var any = new InetSocketAddress(java.net.InetAddress.getLoopbackAddress(), 0);
        this.front = new SqlFront(
                change.apply(FrontConfig.of(self, any, any, socket)),
                group,
                peers,
                tls,
                _ -> lease.get(),
                _ -> {
                    asked.incrementAndGet();
                    return waits.get();
                },
                cancelledWaits::add,
                System::nanoTime);
        front.start();
    }

    FrontView.Primary asPrimary() {
        return new FrontView.Primary(self, peers.address(), new HostPort("127.0.0.1", localPort()));
    }

    TestingFront primary(long epoch) {
        front.setView(FrontView.primary(epoch, asPrimary()));
        return this;
    }

    int localPort() {
        return front.localAddress().getPort();
    }

    int primaryPort() {
        return front.primaryAddress().getPort();
    }

    static Connection connect(int port, String... namesAndValues) throws SQLException {
        var properties = new Properties();
        properties.setProperty("user", "postgres");
        properties.setProperty("sslmode", "disable");
        for (int i = 0; i < namesAndValues.length; i += 2) {
            properties.setProperty(namesAndValues[i], namesAndValues[i + 1]);
        }
        return DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + port + "/postgres", properties);
    }

    static String one(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement();
                var result = statement.executeQuery(sql)) {
            result.next();
            return result.getString(1);
        }
    }

    static void run(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** Runs psql and gives what it printed, errors included. */
    static String psql(String conninfo, String... arguments) {
        try {
            var command = new java.util.ArrayList<>(java.util.List.of("psql", "-X", "-At", "-d", conninfo));
            command.addAll(java.util.List.of(arguments));
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            process.getOutputStream().close();
            String out = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
            process.waitFor(20, TimeUnit.SECONDS);
            return out.strip();
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    String psqlPlain(String sql) {
        return psql("host=127.0.0.1 user=postgres dbname=postgres sslmode=disable port=" + localPort(), "-c", sql);
    }

    @Override
    public void close() {
        front.close();
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
    }
}
