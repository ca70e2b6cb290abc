package io.quantadb.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.config.Ports;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code status} and {@code psql-url} make of nodes that answer badly or not at all. */
class SurveyTest {
    @TempDir
    Path temp;

    private final List<HttpServer> servers = new ArrayList<>();
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @AfterEach
    void stop() {
        servers.forEach(server -> server.stop(0));
    }

    @Test
    void takesTheAnswerOfWhomeverKnowsMostAndWaitsForNobodyElse() throws IOException {
        try (ServerSocket mute = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            // Given
            HostPort follower = serving(200, cluster("node2", "node1", 4));
            HostPort leader = serving(200, cluster("node1", "node1", 4));

            // When
            Survey survey = new ClusterClient(null).survey(List.of(at(mute), follower, leader));

            // Then
            assertThat(survey.best())
                    .hasValueSatisfying(view -> assertThat(view.askedAt()).isEqualTo(leader));
        }
    }

    @Test
    void saysOfEachAddressWhatHappenedThere() throws IOException {
        try (ServerSocket mute = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            // Given
            HostPort nobody = deserted();
            HostPort other = serving(200, "<html>");

            // When
            int status = run("status", "--api", "%s,%s,%s".formatted(nobody, at(mute), other));

            // Then
            assertThat(status).isEqualTo(ExitCode.NOT_RUNNING.status());
            assertThat(err.toString())
                    .hasLineCount(1)
                    .contains(nobody + " (nobody listens there)")
                    .contains(at(mute) + " (it does not answer)")
                    .contains(other + " (what answers there is no QuantaDB node)")
                    .contains("--api host:port");
        }
    }

    @Test
    void tellsWhatToShowToANodeThatWantsACertificate() throws IOException {
        // Given
        HostPort api = serving(401, "{\"error\": \"this path needs a client certificate\", \"hint\": \"show one\"}");

        // When
        int status = run("status", "--api", api.toString());

        // Then
        assertThat(status).isEqualTo(ExitCode.CERTIFICATE.status());
        assertThat(err.toString())
                .hasLineCount(1)
                .contains("this path needs a client certificate")
                .contains("--ca");
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void tellsThatAnotherAuthoritySignedTheNode() throws Exception {
        // Given
        Survey survey = new Survey(Map.of(
                new HostPort("db1", 8432),
                ApiAnswer.silent(new javax.net.ssl.SSLHandshakeException("(certificate_unknown) no")),
                new HostPort("db2", 8432),
                ApiAnswer.silent(new java.net.SocketException("Unexpected end of file from server"))));

        // Then
        assertThat(survey.failure().code()).isEqualTo(ExitCode.CERTIFICATE);
        assertThat(survey.failure().line()).contains("the TLS handshake failed").contains("it speaks HTTPS alone");
    }

    @Test
    void makesNoUrlOutOfANodeThatIsInNoCluster() throws IOException {
        // Given
        HostPort api = serving(200, "{\"answered_by\": \"node2\", \"leader\": \"\", \"nodes\": []}");

        // When
        int status = run("psql-url", "--api", api.toString());

        // Then
        assertThat(status).isEqualTo(ExitCode.NOT_RUNNING.status());
        assertThat(err.toString()).hasLineCount(1).contains("node node2 at " + api + " is in no cluster yet");
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void looksNowhereElseWhenTheUserNamesTheFolderOfADemo() {
        // When
        int status = run("status", "--dir", temp.resolve("nothing").toString());
        int url = run("psql-url", "--dir", temp.resolve("nothing").toString());

        // Then
        assertThat(status).isEqualTo(ExitCode.NOT_RUNNING.status());
        assertThat(url).isEqualTo(ExitCode.NOT_RUNNING.status());
        assertThat(err.toString().lines())
                .hasSize(2)
                .allMatch(line -> line.contains("there is no demo in " + temp.resolve("nothing")));
    }

    @Test
    void saysOfADemoThatNothingOfItRuns() {
        // Given
        DemoNode stopped =
                new DemoNode(new NodeId("node1"), "127.0.0.1", Ports.from(5432), temp.resolve("node1"), null);
        new DemoState(List.of(stopped)).write(temp);

        // When
        int status = run("demo", "status", "--dir", temp.toString());

        // Then
        assertThat(status).isEqualTo(ExitCode.NOT_RUNNING.status());
        assertThat(err.toString())
                .hasLineCount(1)
                .contains("no node of the demo in " + temp + " is running; start it with quantadb demo up");
    }

    private static HostPort deserted() throws IOException {
        try (ServerSocket gone = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return at(gone);
        }
    }

    private static HostPort at(ServerSocket socket) {
        return new HostPort("127.0.0.1", socket.getLocalPort());
    }

    private static String cluster(String answering, String leader, int term) {
        return "{\"answered_by\": \"%s\", \"leader\": \"%s\", \"term\": %d, \"epoch\": 1, \"nodes\": []}"
                .formatted(answering, leader, term);
    }

    private HostPort serving(int status, String body) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(status, bytes.length);
            exchange.getResponseBody().write(bytes);
            exchange.close();
        });
        server.start();
        servers.add(server);
        return new HostPort("127.0.0.1", server.getAddress().getPort());
    }

    private int run(String... arguments) {
        return QuantaDb.execute(
                new Services(
                        () -> {
                            throw new AssertionError("no node is to run");
                        },
                        () -> {
                            throw new AssertionError("no authority is needed");
                        }),
                Map.of("QUANTADB_DEMO_DIR", temp.toString()),
                temp,
                new PrintWriter(out, true),
                new PrintWriter(err, true),
                arguments);
    }
}
