package io.quantadb.node.transport;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.pki.ClusterCa;
import io.quantadb.node.pki.TlsFiles;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import org.slf4j.LoggerFactory;

/** A cluster CA in a folder and transports on loopback that use it; closes all it made, in reverse. */
final class TestingCluster implements AutoCloseable {
    static final List<String> NAMES = List.of("localhost", "127.0.0.1");
    private static final TransportConfig.Limits QUICK =
            new TransportConfig.Limits(Duration.ofMillis(1500), Duration.ofMillis(1500), 16, 16, 6, 4);

    final ClusterCa ca;
    final Path folder;
    private final Deque<AutoCloseable> made = new ArrayDeque<>();
    private final ListAppender<ILoggingEvent> appender = new ListAppender<>();

    TestingCluster(Path folder) {
        this(folder, "shop");
    }

    TestingCluster(Path folder, String name) {
        this.folder = folder;
        // Old enough that certificates of it can have expired.
        Path directory = folder.resolve(name + "-ca");
        ClusterCa.create(directory, name, InstantSource.fixed(Instant.now().minus(Duration.ofDays(60))));
        this.ca = ClusterCa.open(directory, InstantSource.system());
        appender.start();
        logger().addAppender(appender);
    }

    private static Logger logger() {
        return (Logger) LoggerFactory.getLogger("io.quantadb.node.transport");
    }

    /** Warnings so far: message, then keys and values. */
    List<String> warnings() {
        synchronized (appender) {
            return Stream.of(appender.list.toArray(ILoggingEvent[]::new))
                    .filter(e -> e.getLevel().levelStr.equals("WARN"))
                    .map(e -> e.getFormattedMessage() + " " + e.getKeyValuePairs())
                    .toList();
        }
    }

    TlsFiles files(String node) {
        return ca.issueNode(new NodeId(node), NAMES, Duration.ofDays(2));
    }

    static TransportConfig config(String node, TlsFiles files) {
        return new TransportConfig(new NodeId(node), freePort(), freePort(), files, QUICK);
    }

    NettyTransport transport(String node) {
        return transport(config(node, files(node)));
    }

    NettyTransport transport(TransportConfig config) {
        return transport(config, Sockets.best());
    }

    NettyTransport transport(TransportConfig config, Sockets sockets) {
        return add(new NettyTransport(
                config, System::nanoTime, InstantSource.system(), new Random(7), sockets, InetAddress::getAllByName));
    }

    <T extends AutoCloseable> T add(T resource) {
        made.push(resource);
        return resource;
    }

    /** Below the range that the kernel takes for outgoing connections, so that nobody gets it in between by chance. */
    static HostPort freePort() {
        for (int tries = 0; tries < 200; tries++) {
            int port = ThreadLocalRandom.current().nextInt(12_000, 32_000);
            try (var probe = new ServerSocket()) {
                probe.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
                return new HostPort("127.0.0.1", port);
            } catch (IOException e) {
                // Taken; try another.
            }
        }
        throw new IllegalStateException("no free port");
    }

    static Map<NodeId, HostPort> peers(NettyTransport... transports) {
        var peers = new java.util.HashMap<NodeId, HostPort>();
        for (NettyTransport t : transports) {
            peers.put(t.tls().credentials().node(), t.network().address());
        }
        return peers;
    }

    @Override
    public void close() throws Exception {
        while (!made.isEmpty()) {
            made.pop().close();
        }
        logger().detachAppender(appender);
    }
}
