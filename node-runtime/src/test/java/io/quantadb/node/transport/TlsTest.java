package io.quantadb.node.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.pki.ClusterCa;
import io.quantadb.node.pki.TlsFiles;
import io.quantadb.node.pki.Validity;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TlsTest {
    @TempDir
    private Path folder;

    private TestingCluster cluster;
    private NettyTransport node1;
    private HostPort raft;

    @BeforeEach
    void start() {
        cluster = new TestingCluster(folder);
        node1 = cluster.transport("node1");
        node1.network().start(new TestingHandler());
        node1.streams().start();
        raft = node1.network().address();
    }

    @AfterEach
    void end() throws Exception {
        cluster.close();
    }

    private TlsFiles issuedLongAgo(String node) {
        InstantSource past = InstantSource.fixed(Instant.now().minus(Duration.ofDays(30)));
        ClusterCa then = ClusterCa.open(folder.resolve("shop-ca"), past);
        return then.issueNode(new NodeId(node), List.of(), Duration.ofDays(1));
    }

    private void awaitWarning(String... parts) {
        await().untilAsserted(() ->
                assertThat(cluster.warnings()).anySatisfy(w -> assertThat(w).contains(parts)));
    }

    @Test
    void refusesAnExpiredCertificateAndNamesItsNodeAndItsEnd() throws Exception {
        try (var raw = RawTls.dial(raft, issuedLongAgo("node2"))) {
            assertThat(raw.readsToTheEnd()).isTrue();
        }
        awaitWarning("refused a connection on the Raft port", "CN=node2", "expired at", "issue a new one");
    }

    @Test
    void doesNotStartWithAnExpiredCertificate() {
        TlsFiles old = issuedLongAgo("node3");
        assertThatThrownBy(() -> cluster.transport(TestingCluster.config("node3", old)))
                .isInstanceOf(LocalFault.class)
                .hasMessageContaining(old.cert() + " expired at");
    }

    @Test
    void namesTheStrangerThatShowsACertificateOfAnotherCluster() throws Exception {
        ClusterCa other = ClusterCa.create(folder.resolve("x"), "elsewhere", InstantSource.system());
        TlsFiles files = other.issueNode(new NodeId("node2"), List.of(), Duration.ofDays(1));
        try (var raw = RawTls.dial(node1.streams().address(), files)) {
            assertThat(raw.readsToTheEnd()).isTrue();
        }
        awaitWarning(
                "refused a connection on the replication port",
                "CN=node2,O=elsewhere",
                "was not signed by this cluster's CA",
                "it dials the wrong cluster");
    }

    @Test
    void refusesAnOlderTls() throws Exception {
        for (HostPort port : List.of(raft, node1.streams().address())) {
            try (var raw = RawTls.connect(port, cluster.files("node2"), "TLSv1.2")) {
                assertThatThrownBy(raw::handshake).isInstanceOf(SSLException.class);
            }
        }
        awaitWarning("refused a connection on the Raft port", "it does not speak TLS 1.3");
        awaitWarning("refused a connection on the replication port", "it does not speak TLS 1.3");
    }

    @Test
    void refusesAHelloThatIsNotTheCertificates() throws Exception {
        try (var raw = RawTls.dial(raft, cluster.files("node2"))) {
            raw.write(PeerFrame.encode(PeerFrame.HELLO, new Hello(1, 5, new NodeId("node3"), null).encode()));
            assertThat(raw.readsToTheEnd()).isTrue();
        }
        awaitWarning("it says it is node 'node3' and its certificate says 'node2'");
    }

    @Test
    void refusesANodeThatHasOurOwnName() throws Exception {
        try (var raw = RawTls.dial(raft, cluster.files("node1"))) {
            raw.write(PeerFrame.encode(PeerFrame.HELLO, new Hello(1, 5, new NodeId("node1"), null).encode()));
            assertThat(raw.readsToTheEnd()).isTrue();
        }
        awaitWarning("two nodes must not have one id");
    }

    @Test
    void usesNewCertificatesWithoutARestartAndKeepsTheOldWhenTheNewAreBroken() throws Exception {
        // Given
        BigInteger first = serialShown();
        TlsFiles used = new TlsFiles(
                folder.resolve("shop-ca/ca.crt"),
                folder.resolve("shop-ca/node1.crt"),
                folder.resolve("shop-ca/node1.key"));
        // When the files are replaced
        cluster.files("node1");
        // Then new connections show the new one
        await().untilAsserted(() -> assertThat(serialShown()).isNotEqualTo(first));
        BigInteger second = serialShown();
        // When a key that does not fit is put there
        TlsFiles other = cluster.files("node2");
        Files.copy(other.key(), used.key(), StandardCopyOption.REPLACE_EXISTING);
        // Then it is said, and the old pair serves on
        await().untilAsserted(() -> {
            assertThat(serialShown()).isEqualTo(second);
            assertThat(cluster.warnings()).anyMatch(w -> w.contains("cannot be used, the old ones stay in use"));
        });
    }

    private BigInteger serialShown() throws Exception {
        try (var raw = RawTls.dial(raft, cluster.files("probe"))) {
            return raw.peer().getSerialNumber();
        }
    }

    @Test
    void aDiallerReportsAnExpiredPeer() throws Exception {
        // Given a node whose certificate ended while it ran
        TlsFiles old = issuedLongAgo("node2");
        InstantSource asIfThen = InstantSource.fixed(Instant.now().minus(Duration.ofDays(30)));
        var config = TestingCluster.config("node2", old);
        NettyTransport node2 =
                cluster.add(new NettyTransport(config, System::nanoTime, asIfThen, new java.util.Random(1)));
        node2.network().start(new TestingHandler());
        // When
        node1.network().setPeers(Map.of(new NodeId("node2"), config.raftBind()));
        // Then
        awaitWarning("cannot connect to peer node2", "its certificate (CN=node2,O=shop) expired at");
    }

    @Test
    void aNodeWhoseCertificateEndedWhileItRanIsTakenAgainOnceItIsRenewed() throws Exception {
        // Given two nodes, and a clock on which the certificate of one has ended
        AtomicReference<Instant> now = new AtomicReference<>(Instant.now());
        TlsFiles files = cluster.ca.issueNode(new NodeId("node2"), TestingCluster.NAMES, Duration.ofDays(1));
        TlsFiles longer = cluster.ca.issueNode(new NodeId("node3"), TestingCluster.NAMES, Duration.ofDays(9));
        NettyTransport node2 = at(now, TestingCluster.config("node2", files));
        NettyTransport node3 = at(now, TestingCluster.config("node3", longer));
        node3.streams()
                .setAcceptor(
                        StreamKind.HELLO,
                        (_, verdict) -> verdict.accept(new byte[0], channel -> {
                            var _ = channel.close();
                        }));
        node3.streams().start();
        assertThat(hello(node2, node3).get(5, TimeUnit.SECONDS)).isNotNull();
        now.set(now.get().plus(Duration.ofDays(2)));
        await().untilAsserted(() -> assertThatThrownBy(() -> hello(node2, node3).get(5, TimeUnit.SECONDS))
                .hasCauseInstanceOf(PeerStreams.CertificateRefused.class)
                .hasMessageContaining("expired"));

        // When
        cluster.ca.issueNode(new NodeId("node2"), TestingCluster.NAMES, Duration.ofDays(5));
        List<Validity> inUse = node2.tls().look();

        // Then
        assertThat(inUse).first().satisfies(own -> assertThat(own.until()).isAfter(now.get()));
        assertThat(hello(node2, node3).get(5, TimeUnit.SECONDS)).isNotNull();
    }

    private NettyTransport at(AtomicReference<Instant> now, TransportConfig config) {
        return cluster.add(new NettyTransport(config, System::nanoTime, now::get, new java.util.Random(3)));
    }

    @Test
    void showsClientsAnotherCertificateAndItsSuccessorWithoutARestart() {
        // Given
        TlsFiles shown = cluster.files("www");
        Supplier<SslContext> context = node1.tls().server(shown.cert(), shown.key(), List.of("postgresql"));
        SslContext first = context.get();
        assertThat(first.applicationProtocolNegotiator().protocols()).containsExactly("postgresql");
        Validity before = node1.tls().look().getLast();
        assertThat(before.file()).isEqualTo(shown.cert());

        // When
        cluster.ca.issueNode(new NodeId("www"), TestingCluster.NAMES, Duration.ofDays(7));

        // Then
        assertThat(node1.tls().look().getLast().until()).isAfter(before.until().plus(Duration.ofDays(4)));
        assertThat(context.get()).isNotSameAs(first);
    }

    @Test
    void makesServerContextsForClientsFromTheSameFiles() {
        SslContext first = node1.tls().server(ClientAuth.NONE, List.of());
        SslContext direct = node1.tls().server(ClientAuth.NONE, List.of("postgresql"));
        assertThat(first.isServer()).isTrue();
        assertThat(node1.tls().server(ClientAuth.NONE, List.of())).isSameAs(first);
        assertThat(direct.applicationProtocolNegotiator().protocols()).containsExactly("postgresql");
        var engine = direct.newEngine(io.netty.buffer.ByteBufAllocator.DEFAULT);
        // BoringSSL's engine lists the name of the old hello as well, and never speaks it.
        assertThat(engine.getEnabledProtocols())
                .filteredOn(protocol -> !protocol.equals("SSLv2Hello"))
                .containsExactlyInAnyOrder("TLSv1.3", "TLSv1.2");
        assertThat(engine.getNeedClientAuth()).isFalse();
    }

    @Test
    void logsOncePerIntervalAndRemembersOnlySoMany() throws IOException {
        // Given
        long[] now = {0};
        var log = new RefusalLog(() -> now[0]);
        // When, Then
        assertThat(log.isDue("a")).isTrue();
        assertThat(log.isDue("a")).isFalse();
        for (int i = 0; i < 255; i++) {
            assertThat(log.isDue("k" + i)).isTrue();
        }
        assertThat(log.isDue("one too many")).isFalse();
        now[0] = RefusalLog.INTERVAL.toNanos();
        assertThat(log.isDue("one too many")).isTrue();
        assertThat(log.isDue("a")).isTrue();
    }

    @Test
    void aStreamToAnotherClusterIsRefusedForItsCertificate() throws Exception {
        try (TestingCluster other = new TestingCluster(folder.resolve("other"), "other")) {
            // Given
            NettyTransport stranger = other.transport("node2");

            // When
            CompletableFuture<PeerStreams.Opened> opened = hello(stranger);

            // Then
            assertThatThrownBy(() -> opened.get(5, TimeUnit.SECONDS))
                    .hasCauseInstanceOf(PeerStreams.CertificateRefused.class)
                    .hasMessageContaining("not signed by this cluster's CA");
        }
    }

    @Test
    void aDiallerWhoseCertificateTheOtherSideRefusesIsToldSo() throws Exception {
        try (TestingCluster other = new TestingCluster(folder.resolve("other"))) {
            // Given a stranger that trusts our CA beside its own
            TlsFiles own = other.files("node2");
            Path both = Files.writeString(
                    folder.resolve("both.crt"),
                    Files.readString(own.ca())
                            + Files.readString(cluster.files("node1").ca()));
            NettyTransport stranger =
                    other.transport(TestingCluster.config("node2", new TlsFiles(both, own.cert(), own.key())));

            // Then; the words may be lost when the connection is reset first
            await().untilAsserted(() -> assertThatThrownBy(() -> hello(stranger).get(5, TimeUnit.SECONDS))
                    .hasCauseInstanceOf(PeerStreams.CertificateRefused.class)
                    .hasMessageContaining("refused this node's certificate"));
        }
    }

    @Test
    void tellsWhatHappenedWithoutTheNameOfTheNativeCall() {
        // When
        String words = PeerIdentity.words(
                new IOException("recvAddress(..) failed with error(-104): Connection reset by peer"));

        // Then
        assertThat(words).isEqualTo("Connection reset by peer");
    }

    private CompletableFuture<PeerStreams.Opened> hello(NettyTransport from) {
        return hello(from, node1);
    }

    private static CompletableFuture<PeerStreams.Opened> hello(NettyTransport from, NettyTransport to) {
        return from.streams().open(to.streams().address(), null, StreamKind.HELLO, new byte[0], Duration.ofSeconds(3));
    }
}
