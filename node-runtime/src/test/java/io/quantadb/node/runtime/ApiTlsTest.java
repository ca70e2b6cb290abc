package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.netty.handler.ssl.ClientAuth;
import io.quantadb.node.api.Administrator;
import io.quantadb.node.api.ApiServer;
import io.quantadb.node.api.Founder;
import io.quantadb.node.api.Probes;
import io.quantadb.node.cli.ClusterClient;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.config.ConfigLoader;
import io.quantadb.node.config.NodeConfig;
import io.quantadb.node.pki.ClusterCa;
import io.quantadb.node.pki.ClusterRole;
import io.quantadb.node.pki.TlsFiles;
import io.quantadb.node.transport.NettyTransport;
import io.quantadb.node.transport.TransportConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The API as a node off loopback serves it: over TLS, with the certificates of real files. */
class ApiTlsTest {
    private static final Duration DAY = Duration.ofDays(1);

    @TempDir
    Path folder;

    private ClusterCa ca;
    private NettyTransport transport;
    private ApiServer server;
    private HostPort api;

    @BeforeEach
    void serve() throws Exception {
        NodeConfig config = new ConfigLoader(Path.of("/x"), Map.of()).load(null, List.of());
        ca = ClusterCa.create(folder.resolve("ca"), "shop", InstantSource.system());
        TlsFiles own = ca.issueNode(new NodeId("node1"), List.of("127.0.0.1"), DAY);
        HostPort nowhere = new HostPort("127.0.0.1", 1);
        transport = new NettyTransport(
                new TransportConfig(new NodeId("node1"), nowhere, nowhere, own),
                System::nanoTime,
                InstantSource.system(),
                new Random(7));
        server = new ApiServer(
                "0.0.0.0",
                0,
                () -> transport.tls().server(ClientAuth.OPTIONAL, List.of("http/1.1")),
                new ApiServer.Answers(
                        () -> Views.joining(config, Instant.EPOCH, null),
                        Probes.of(() -> Views.joining(config, Instant.EPOCH, null)),
                        Founder.none("no"),
                        Administrator.none(),
                        new ApiCallers(() -> transport.tls().credentials(), null, InstantSource.system())));
        server.start();
        api = new HostPort("127.0.0.1", server.address().port());
    }

    @AfterEach
    void close() {
        server.close();
        transport.close();
    }

    @Test
    void answersProbesAndNothingElseWithoutACertificate() {
        ClusterClient nobody = new ClusterClient(ca.certificateFile());

        assertThat(answer(nobody, "/livez").path("status").asText()).isEqualTo("ok");
        assertThat(answer(nobody, "/cluster/nodes").path("error").asText()).contains("client certificate");
        assertThat(new ClusterClient(null).get(api, "/livez")).as("plain HTTP").isEmpty();
    }

    @Test
    void answersNodesAndRolesOfTheClusterButNoStranger() throws Exception {
        ClusterCa other = ClusterCa.create(folder.resolve("other"), "shop", InstantSource.system());
        TlsFiles stranger = other.issueRole(ClusterRole.OPERATOR, new NodeId("mallory"), DAY);

        assertThat(asked(ca.issueNode(new NodeId("node2"), List.of(), DAY))).isTrue();
        assertThat(asked(ca.issueRole(ClusterRole.VIEWER, new NodeId("eve"), DAY)))
                .isTrue();
        assertThat(asked(ca.issueRole(ClusterRole.OPERATOR, new NodeId("admin"), DAY)))
                .isTrue();
        // It trusts both authorities, so that the node alone can be who refuses.
        Path both = folder.resolve("both.crt");
        Files.writeString(both, Files.readString(ca.certificateFile()) + Files.readString(other.certificateFile()));
        assertThat(ClusterClient.showing(both, stranger.cert(), stranger.key()).get(api, "/livez"))
                .isEmpty();
    }

    private boolean asked(TlsFiles files) {
        return answer(ClusterClient.showing(files.ca(), files.cert(), files.key()), "/cluster/nodes")
                .has("nodes");
    }

    /** A client gives up after seconds, within which a busy machine may not have answered. */
    private JsonNode answer(ClusterClient client, String path) {
        return await().until(() -> client.get(api, path), Optional::isPresent).orElseThrow();
    }
}
