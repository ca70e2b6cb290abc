package io.quantadb.node.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.pki.ClusterCa;
import io.quantadb.node.pki.NodeCredentials;
import io.quantadb.node.pki.TlsFiles;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TlsEnginesTest {
    private static final int PUMPS_MAX = 20;

    @TempDir
    Path folder;

    /** The engine that is shipped for this platform loads; else every WAL stream would be slow and all tests green. */
    @Test
    void theNativeEngineLoads() {
        assertThat(OpenSsl.unavailabilityCause()).isNull();
    }

    @ParameterizedTest
    @CsvSource({"OPENSSL,OPENSSL", "OPENSSL,JDK", "JDK,OPENSSL", "JDK,JDK"})
    void bothEnginesUnderstandEachOtherAndKnowThePeer(SslProvider dialling, SslProvider accepting) throws Exception {
        // Given
        ClusterCa ca = ClusterCa.create(folder.resolve("ca"), "shop", InstantSource.system());
        SslContext client = engines(dialling).peer(credentials(ca, "node1"), true);
        SslContext server = engines(accepting).peer(credentials(ca, "node2"), false);

        // When
        SslHandler here = client.newHandler(UnpooledByteBufAllocator.DEFAULT);
        SslHandler there = server.newHandler(UnpooledByteBufAllocator.DEFAULT);
        String heard = exchange(here, there, "hello");

        // Then
        assertThat(heard).isEqualTo("hello");
        assertThat(PeerIdentity.of(here)).contains(new NodeId("node2"));
        assertThat(PeerIdentity.of(there)).contains(new NodeId("node1"));
        assertThat(here.engine().getSession().getProtocol()).isEqualTo("TLSv1.3");
    }

    @ParameterizedTest
    @CsvSource({"OPENSSL,OPENSSL", "OPENSSL,JDK", "JDK,OPENSSL", "JDK,JDK"})
    void bothSidesSayWhyWhenTheClusterIsAnother(SslProvider dialling, SslProvider accepting) throws Exception {
        // Given
        ClusterCa ca = ClusterCa.create(folder.resolve("ca"), "shop", InstantSource.system());
        ClusterCa other = ClusterCa.create(folder.resolve("other"), "elsewhere", InstantSource.system());
        SslHandler here =
                engines(dialling).peer(credentials(other, "node1"), true).newHandler(UnpooledByteBufAllocator.DEFAULT);
        SslHandler there =
                engines(accepting).peer(credentials(ca, "node2"), false).newHandler(UnpooledByteBufAllocator.DEFAULT);

        // When
        String heard = exchange(here, there, "hello");

        // Then
        assertThat(heard).isEmpty();
        assertThat(PeerIdentity.words(here.handshakeFuture().cause()))
                .contains("CN=node2,O=shop", "was not signed by this cluster's CA");
        assertThat(PeerIdentity.words(there.handshakeFuture().cause()))
                .contains("the other side refused this node's certificate");
    }

    private static TlsEngines engines(SslProvider provider) {
        return new TlsEngines(InstantSource.system(), provider);
    }

    private static NodeCredentials credentials(ClusterCa ca, String node) {
        NodeId id = new NodeId(node);
        TlsFiles files = ca.issueNode(id, List.of(), Duration.ofDays(1));
        return NodeCredentials.load(files, id, Instant.now());
    }

    private static String exchange(SslHandler client, SslHandler server, String words) {
        var here = new EmbeddedChannel(client);
        var there = new EmbeddedChannel(server);
        boolean said = false;
        var heard = new StringBuilder();
        for (int i = 0; i < PUMPS_MAX; i++) {
            if (client.handshakeFuture().isSuccess() && !said) {
                said = here.writeOutbound(Unpooled.copiedBuffer(words, StandardCharsets.UTF_8));
            }
            pump(here, there);
            pump(there, here);
            for (ByteBuf part = there.readInbound(); part != null; part = there.readInbound()) {
                heard.append(part.toString(StandardCharsets.UTF_8));
                part.release();
            }
        }
        close(here);
        close(there);
        return heard.toString();
    }

    private static void pump(EmbeddedChannel from, EmbeddedChannel to) {
        from.runPendingTasks();
        for (ByteBuf bytes = from.readOutbound(); bytes != null; bytes = from.readOutbound()) {
            write(to, bytes);
        }
        to.runPendingTasks();
    }

    private static void write(EmbeddedChannel to, ByteBuf bytes) {
        try {
            var _ = to.writeInbound(bytes);
        } catch (Exception e) {
            // A refused handshake is thrown here as well; the handshake future, which is asserted on, holds it.
            assertThat(to.pipeline().get(SslHandler.class))
                    .satisfiesAnyOf(
                            handler -> assertThat(handler).isNull(),
                            handler -> assertThat(handler.handshakeFuture().isDone())
                                    .isTrue());
        }
    }

    private static void close(EmbeddedChannel channel) {
        try {
            var _ = channel.finishAndReleaseAll();
        } catch (Exception e) {
            assertThat(channel.isOpen()).isFalse();
        }
    }
}
