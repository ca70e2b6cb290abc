package io.quantadb.node.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.pki.TlsFiles;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NettyPeerNetworkTest {
    private static final NodeId N1 = new NodeId("node1");
    private static final NodeId N2 = new NodeId("node2");
    private static final byte KIND = 42;
    private static final Duration SOON = Duration.ofSeconds(20);
    /** A loopback address on which no test listens. */
    private static final InetAddress[] NOBODY = {InetAddress.ofLiteral("127.0.0.9")};

    @TempDir
    private Path folder;

    private TestingCluster cluster;
    private final TestingHandler one = new TestingHandler();
    private final TestingHandler two = new TestingHandler();

    @BeforeEach
    void makeCluster() {
        cluster = new TestingCluster(folder);
    }

    @AfterEach
    void end() throws Exception {
        cluster.close();
    }

    private NettyTransport started(NettyTransport transport, TestingHandler handler, Map<NodeId, HostPort> peers) {
        transport.network().setPeers(peers);
        transport.network().start(handler);
        return transport;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** The first message gets through as soon as the connection stands. */
    private static void deliver(NettyTransport from, NodeId to, String text) {
        await().pollInterval(Duration.ofMillis(10)).until(() -> from.network().send(to, KIND, bytes(text)));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void deliversInOrderBetweenThreeNodesOverNativeSocketsAndOverNio(boolean epoll) {
        // Given
        var sockets = new Sockets(epoll && Sockets.best().isEpoll());
        var c1 = TestingCluster.config("node1", cluster.files("node1"));
        var c2 = TestingCluster.config("node2", cluster.files("node2"));
        var c3 = TestingCluster.config("node3", cluster.files("node3"));
        var peers = Map.of(N1, c1.raftBind(), N2, c2.raftBind(), new NodeId("node3"), c3.raftBind());
        var three = new TestingHandler();
        NettyTransport t1 = started(cluster.transport(c1, sockets), one, peers);
        started(cluster.transport(c2, sockets), two, peers);
        started(cluster.transport(c3, sockets), three, peers);
        // When
        await().until(() -> one.events.containsAll(List.of("up node2", "up node3")));
        IntStream.range(0, 100)
                .forEach(i ->
                        assertThat(t1.network().send(N2, KIND, bytes("m" + i))).isTrue());
        assertThat(t1.network().send(new NodeId("node3"), KIND, new byte[PeerFrame.MAX_PAYLOAD]))
                .isTrue();
        // Then
        await().untilAsserted(() -> assertThat(two.messages)
                .containsExactlyElementsOf(
                        IntStream.range(0, 100).mapToObj(i -> "node1/42/m" + i).toList()));
        await().untilAsserted(() -> assertThat(three.sizes).containsExactly(PeerFrame.MAX_PAYLOAD));
        assertThat(t1.network().send(N1, KIND, bytes("to myself"))).isFalse();
        assertThatThrownBy(() -> t1.network().send(N2, KIND, new byte[PeerFrame.MAX_PAYLOAD + 1]))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aPeerWhoseConnectionsComeFromWhereAnotherListensIsFoundWithoutAWord() {
        // Given nodes on two addresses of this machine with one port: what node2 dials comes from node1's address
        HostPort first = TestingCluster.freePort();
        HostPort second = new HostPort("127.0.0.2", first.port());
        NettyTransport t1 = started(cluster.transport(config("node1", first)), one, Map.of(N2, second));
        await().until(() -> one.events.contains("reset node2"));

        // When
        NettyTransport t2 = started(cluster.transport(config("node2", second)), two, Map.of(N1, first));
        deliver(t1, N2, "there");
        deliver(t2, N1, "and back");

        // Then
        await().untilAsserted(() -> assertThat(one.messages).hasSize(1));
        assertThat(cluster.warnings()).isEmpty();
    }

    private TransportConfig config(String node, HostPort raft) {
        return new TransportConfig(
                new NodeId(node),
                raft,
                new HostPort(raft.host(), TestingCluster.freePort().port()),
                cluster.files(node));
    }

    @Test
    void answersAPeerThatItWasNotToldOfForAsLongAsThatIsConnected() {
        // Given
        HostPort at = TestingCluster.freePort();
        TransportConfig config = config("node1", at).advertising(at);
        NettyTransport t2 = started(cluster.transport("node2"), two, Map.of());

        // When
        NettyTransport t1 =
                started(cluster.transport(config), one, Map.of(N2, t2.network().address()));
        deliver(t2, N1, "an answer");
        t2.network().setPeers(Map.of());
        deliver(t2, N1, "another");

        // Then
        await().untilAsserted(() -> assertThat(one.messages).containsExactly("node2/42/an answer", "node2/42/another"));

        // And when
        t1.close();
        await().until(() -> !t2.network().send(N1, KIND, bytes("nobody is there")));
        NettyTransport mute = started(
                cluster.transport(config("node1", TestingCluster.freePort())),
                one,
                Map.of(N2, t2.network().address()));
        deliver(mute, N2, "I do not say where I am");

        // Then
        await().untilAsserted(() -> assertThat(two.messages).contains("node1/42/I do not say where I am"));
        assertThat(t2.network().send(N1, KIND, bytes("no way to it"))).isFalse();
    }

    @Test
    void findsAPeerAgainThatRestartsWhereItWas() {
        // Given
        var c2 = TestingCluster.config("node2", cluster.files("node2"));
        NettyTransport t1 = started(cluster.transport("node1"), one, Map.of(N2, c2.raftBind()));
        NettyTransport first = started(cluster.transport(c2), two, Map.of());
        deliver(t1, N2, "before");
        await().until(() -> two.messages.size() == 1);
        // When
        first.close();
        await().untilAsserted(() -> assertThat(one.events).contains("reset node2"));
        assertThat(t1.network().send(N2, KIND, bytes("nobody is there"))).isFalse();
        started(cluster.transport(c2), two, Map.of(N1, t1.network().address()));
        deliver(t1, N2, "after");
        // Then
        await().untilAsserted(() -> assertThat(two.messages).containsExactly("node1/42/before", "node1/42/after"));
    }

    @Test
    void followsAPeerToAnotherPort() {
        // Given
        TlsFiles files = cluster.files("node2");
        NettyTransport old = started(cluster.transport(TestingCluster.config("node2", files)), two, Map.of());
        NettyTransport t1 = started(
                cluster.transport("node1"), one, Map.of(N2, old.network().address()));
        deliver(t1, N2, "old");
        // When
        old.close();
        NettyTransport moved = started(cluster.transport(TestingCluster.config("node2", files)), two, Map.of());
        t1.network().setPeers(Map.of(N2, moved.network().address()));
        deliver(t1, N2, "new");
        // Then
        await().untilAsserted(() -> assertThat(two.messages).contains("node1/42/new"));
    }

    @Test
    void resolvesTheNameAtEveryDialAndTriesEachOfItsAddresses() {
        // Given
        var lookups = new java.util.concurrent.atomic.AtomicInteger();
        var config = TestingCluster.config("node1", cluster.files("node1"));
        var c2 = TestingCluster.config("node2", cluster.files("node2"));
        NettyTransport t1 = cluster.add(new NettyTransport(
                config,
                System::nanoTime,
                java.time.InstantSource.system(),
                new java.util.Random(3),
                Sockets.best(),
                host -> {
                    lookups.incrementAndGet();
                    return new InetAddress[] {
                        InetAddress.getByAddress(new byte[] {127, 0, 0, 9}), InetAddress.getLoopbackAddress()
                    };
                }));
        started(cluster.transport(c2), two, Map.of());
        // When
        started(t1, one, Map.of(N2, new HostPort("node2.pods", c2.raftBind().port())));
        deliver(t1, N2, "hello");
        // Then
        await().untilAsserted(() -> assertThat(two.messages).containsExactly("node1/42/hello"));
        assertThat(one.events).containsExactly("reset node2", "up node2");
        assertThat(lookups).hasValue(2);
    }

    @Test
    void refusesAForeignAuthorityAndSaysSoOnce() throws Exception {
        // Given
        try (var foreign = new TestingCluster(folder, "other")) {
            NettyTransport t1 = started(cluster.transport("node1"), one, Map.of());
            // When
            NettyTransport stranger = started(
                    foreign.transport("node2"), two, Map.of(N1, t1.network().address()));
            await().until(() -> two.events.size() >= 3);
            // Then
            assertThat(two.events).allMatch(e -> e.equals("down node1"));
            assertThat(stranger.network().send(N1, KIND, bytes("x"))).isFalse();
            await().untilAsserted(() -> assertThat(foreign.warnings())
                    .anyMatch(w -> w.contains("cannot connect to peer node1")
                            && w.contains("was not signed by this cluster's CA")));
            await().untilAsserted(() -> assertThat(cluster.warnings().stream()
                            .filter(w -> w.contains("refused a connection on the Raft port")))
                    .hasSize(1)
                    .allMatch(w -> w.contains("the other side refused this node's certificate")));
            assertThat(one.events).isEmpty();
        }
    }

    @Test
    void refusesWhomThePolicyDoesNotKnow() {
        // Given
        NettyTransport t1 = started(cluster.transport("node1"), one, Map.of());
        NettyTransport t2 =
                started(cluster.transport("node2"), two, Map.of(N1, t1.network().address()));
        deliver(t2, N1, "allowed");
        await().until(() -> one.messages.size() == 1);
        // When
        t1.setPolicy(node -> !node.equals(N2));
        // Then
        await().untilAsserted(() -> assertThat(cluster.warnings())
                .anyMatch(w -> w.contains("it refused: node 'node2' is not a member of this cluster: add it first")));
        assertThat(t2.network().send(N1, KIND, bytes("x"))).isFalse();
        // When it becomes a member
        t1.setPolicy(PeerPolicy.ALL);
        deliver(t2, N1, "again");
        await().untilAsserted(() -> assertThat(one.messages).contains("node2/42/again"));
    }

    @Test
    void noticesThatItReachedAnotherNodeThanItMeant() {
        // Given
        NettyTransport t3 = started(cluster.transport("node3"), two, Map.of());
        // When
        started(cluster.transport("node1"), one, Map.of(N2, t3.network().address()));
        // Then
        await().untilAsserted(() -> assertThat(cluster.warnings())
                .anyMatch(w ->
                        w.contains("dialled node 'node2' at " + t3.network().address())
                                && w.contains("reached node 'node3'")));
        assertThat(one.events).isNotEmpty().allMatch(e -> e.equals("down node2"));
    }

    @Test
    void closesWhoDoesNotSayWhoItIs() throws Exception {
        // Given
        NettyTransport t1 = started(cluster.transport("node1"), one, Map.of());
        HostPort at = t1.network().address();
        var sockets = new ArrayList<Socket>();
        // When: 20 silent connections where 16 are allowed, and one that speaks HTTP
        for (int i = 0; i < 20; i++) {
            sockets.add(cluster.add(new Socket(at.host(), at.port())));
        }
        // Then each ends within the opening limit
        for (Socket socket : sockets) {
            socket.setSoTimeout(5000);
            assertThat(readToEnd(socket)).isTrue();
        }
        Socket http = cluster.add(new Socket(at.host(), at.port()));
        http.setSoTimeout(5000);
        http.getOutputStream().write(bytes("GET / HTTP/1.1\r\n\r\n"));
        assertThat(readToEnd(http)).isTrue();
        assertThat(cluster.warnings())
                .anyMatch(w -> w.contains("too many at once"))
                .anyMatch(w -> w.contains("only QuantaDB nodes speak on this port"));
    }

    private static boolean readToEnd(Socket socket) throws java.io.IOException {
        try {
            return socket.getInputStream().readAllBytes().length < 100;
        } catch (java.net.SocketException reset) {
            return true;
        }
    }

    @Test
    void saysWhichPortIsTakenAndWhatToChange() throws Exception {
        // Given
        var config = TestingCluster.config("node1", cluster.files("node1"));
        try (var other = new ServerSocket()) {
            other.bind(new InetSocketAddress(
                    InetAddress.getLoopbackAddress(), config.raftBind().port()));
            // When, Then
            NettyTransport t1 = cluster.transport(config);
            assertThatThrownBy(() -> t1.network().start(one))
                    .isInstanceOf(LocalFault.class)
                    .hasMessage(
                            "the Raft port %s is taken by another program: end that program, or set another raft_port"
                                    .formatted(config.raftBind()));
        }
    }

    @Test
    void saysWhenTheAddressIsNotThisMachines() {
        var free = TestingCluster.freePort();
        var config = new TransportConfig(N1, free, new HostPort("203.0.113.7", free.port()), cluster.files("node1"));
        NettyTransport t1 = cluster.transport(config);
        assertThatThrownBy(() -> t1.streams().start())
                .isInstanceOf(LocalFault.class)
                .hasMessageContaining("the replication port cannot be opened on 203.0.113.7")
                .hasMessageContaining("no such address");
    }

    @Test
    void dropsInsteadOfQueueingWithoutBoundForAPeerThatDoesNotRead() {
        // Given a peer whose handler does not return
        var block = new CountDownLatch(1);
        NettyTransport t2 = cluster.transport("node2");
        t2.network().start(new PeerNetwork.Handler() {
            @Override
            public void onMessage(NodeId from, byte kind, byte[] payload, long receivedNanos) {
                try {
                    assertThat(block.await(10, TimeUnit.SECONDS)).isTrue();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }

            @Override
            public void onConnected(NodeId peer) {}

            @Override
            public void onDisconnected(NodeId peer, boolean reset) {}
        });
        NettyTransport t1 =
                started(cluster.transport("node1"), one, Map.of(N2, t2.network().address()));
        deliver(t1, N2, "first");
        // When
        byte[] large = new byte[256 * 1024];
        int taken = 0;
        while (taken < 1000 && t1.network().send(N2, KIND, large)) {
            taken++;
        }
        block.countDown();
        // Then 250 MB were not queued
        assertThat(taken).isLessThan(200);
        deliver(t1, N2, "and it flows again");
    }

    @Test
    void findsAPeerThatMovedThoughTheNameServersStillTellTheOldPlace() {
        // Given a name that leads to where nobody is
        var c2 = TestingCluster.config("node2", cluster.files("node2"));
        NettyTransport t1 = started(withNames(host -> NOBODY), one, Map.of(N2, atAName(c2)));
        await().until(() -> one.events.contains("reset node2"));
        // When the peer dials
        started(cluster.transport(c2), two, Map.of(N1, t1.network().address()));
        // Then it is answered where it came from
        deliver(t1, N2, "found");
        await().untilAsserted(() -> assertThat(two.messages).containsExactly("node1/42/found"));
    }

    @Test
    void findsAPeerThatMovedWhileItsOldPlaceIsBeingDialled() {
        // Given a peer that is about to dial, and a dial to its old place that has just begun and does not end
        var c2 = TestingCluster.config("node2", cluster.files("node2"));
        NettyTransport t2 = cluster.transport(c2);
        var looking = new CountDownLatch(1);
        var answer = new CountDownLatch(1);
        NettyTransport t1 = started(
                withNames(host -> {
                    looking.countDown();
                    try {
                        return answer.await(10, TimeUnit.SECONDS) ? NOBODY : new InetAddress[0];
                    } catch (InterruptedException e) {
                        throw new UnknownHostException(host);
                    }
                }),
                one,
                Map.of(N2, atAName(c2)));
        await().pollInterval(Duration.ofMillis(1)).until(() -> looking.getCount() == 0);
        // When the peer has dialled, and then the dial fails
        started(t2, two, Map.of(N1, t1.network().address()));
        await().until(() -> two.events.contains("up node1"));
        answer.countDown();
        // Then the peer is dialled where it came from
        deliver(t1, N2, "found");
        await().untilAsserted(() -> assertThat(two.messages).containsExactly("node1/42/found"));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void streamsOfAPeerThatMovedGoWhereItWasFoundWhateverTheNameServersSay(boolean away) throws Exception {
        // Given a peer that was found by its own dial, while its name leads to where nobody is, or nowhere
        var c2 = TestingCluster.config("node2", cluster.files("node2"));
        NettyTransport t1 = started(
                withNames(host -> {
                    if (away) {
                        throw new UnknownHostException(host);
                    }
                    return NOBODY;
                }),
                one,
                Map.of(N2, atAName(c2)));
        NettyTransport t2 = cluster.transport(c2);
        t2.streams().setAcceptor(StreamKind.WAL, (in, verdict) -> verdict.accept(new byte[0], channel -> {}));
        t2.streams().start();
        HostPort streams = new HostPort("node2.pods", t2.streams().address().port());
        assertThat(t1.streams().open(streams, N2, StreamKind.WAL, new byte[0], SOON))
                .failsWithin(SOON);
        started(t2, two, Map.of(N1, t1.network().address()));
        deliver(t1, N2, "found");

        // When
        PeerStreams.Opened opened = t1.streams()
                .open(streams, N2, StreamKind.WAL, new byte[0], SOON)
                .get(30, TimeUnit.SECONDS);

        // Then
        assertThat(opened.peer()).isEqualTo(N2);

        // When the peer is gone, only the name is left
        t2.network().close();
        await().until(() -> one.events.contains("down node2"));
        assertThat(t1.streams().open(streams, N2, StreamKind.WAL, new byte[0], SOON))
                .failsWithin(SOON);
    }

    private NettyTransport withNames(AddressResolver.Lookup names) {
        return cluster.add(new NettyTransport(
                TestingCluster.config("node1", cluster.files("node1")),
                System::nanoTime,
                java.time.InstantSource.system(),
                new java.util.Random(3),
                Sockets.best(),
                names));
    }

    private static HostPort atAName(TransportConfig config) {
        return new HostPort("node2.pods", config.raftBind().port());
    }

    @Test
    void doesNotTakeAHealthProbeForAStranger() throws Exception {
        // Given
        NettyTransport t1 = started(cluster.transport("node1"), one, Map.of());
        t1.streams().start();
        // When
        for (HostPort at : List.of(t1.network().address(), t1.streams().address())) {
            new Socket(at.host(), at.port()).close();
            try (var stranger = new Socket(at.host(), at.port())) {
                stranger.setSoTimeout(5000);
                stranger.getOutputStream().write(bytes("not a probe"));
                assertThat(readToEnd(stranger)).isTrue();
            }
        }
        // Then only who sent something is spoken of
        await().untilAsserted(() -> assertThat(cluster.warnings()).hasSize(2));
        assertThat(cluster.warnings()).allMatch(w -> w.contains("what it sent is not TLS"));
    }
}
