package io.quantadb.node.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.pgwire.PgError;
import io.quantadb.node.pki.ClusterCa;
import io.quantadb.node.testing.PostgresVersion;
import io.quantadb.node.transport.NettyTransport;
import io.quantadb.node.transport.TransportConfig;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The relay over the shipped transport: mTLS 1.3, one bulk loop for both. */
final class WalRelayMtlsTest {
    private static final Duration LONG = Duration.ofSeconds(20);

    @TempDir
    private Path folder;

    private NettyTransport transport(ClusterCa ca, String node) {
        var files = ca.issueNode(new NodeId(node), List.of("localhost", "127.0.0.1"), Duration.ofDays(2));
        var config = new TransportConfig(new NodeId(node), freePort(), freePort(), files);
        return new NettyTransport(config, System::nanoTime, InstantSource.system(), new Random(1));
    }

    private static HostPort freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return new HostPort("127.0.0.1", socket.getLocalPort());
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void acknowledgesOverTheShippedTransport() {
        // Given two nodes with certificates of one cluster
        InstantSource old = InstantSource.fixed(Instant.now().minus(Duration.ofDays(1)));
        ClusterCa created = ClusterCa.create(folder.resolve("ca"), "shop", old);
        assertThat(created.clusterName()).isEqualTo("shop");
        ClusterCa ca = ClusterCa.open(folder.resolve("ca"), InstantSource.system());
        try (NettyTransport ta = transport(ca, "a");
                NettyTransport tb = transport(ca, "b");
                TestingNode a = new TestingNode("a", PostgresVersion.V15, ta.bulkGroup(), ta.streams());
                TestingNode b = new TestingNode("b", PostgresVersion.V15, tb.bulkGroup(), tb.streams())) {
            ta.streams().start();
            tb.streams().start();
            a.asPrimary();
            b.asStandby();

            // When b follows a, and the voice wants b
            a.relay.serve(1);
            b.follow(a, 1, 1);
            a.relay.setPermit(TestingNode.permit(1, 1, 1, b));
            a.relay.openVoice();
            a.postgres.query("CREATE TABLE t AS SELECT generate_series(1, 300000) AS id");

            // Then what was acknowledged is there
            await().atMost(LONG)
                    // It is flushed there, and replayed a moment later.
                    .ignoreExceptionsInstanceOf(PgError.class)
                    .untilAsserted(
                            () -> assertThat(b.one("SELECT max(id) FROM t")).isEqualTo("300000"));
            assertThat(a.relay.voiceReported().isNone()).isFalse();
        }
    }
}
