package io.quantadb.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.quantadb.node.config.NodeConfig;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands that lose something, or may, against a node that only says what the test lets it say. */
class ForcedCommandsTest {
    private static final String LOSS = "cluster shop.1\\nepoch 7: of (node2, node3) 2 must answer, and 1 do";

    @TempDir
    Path folder;

    private final StringWriter said = new StringWriter();
    private final List<String> posted = Collections.synchronizedList(new ArrayList<>());
    private final List<String> done = new ArrayList<>();
    private HttpServer node;
    private volatile String leader = "node2";
    private static final String PRIMARY = "node1";
    private final AtomicLong epoch = new AtomicLong(7);
    private volatile boolean fenced;
    private int firstStatus = 428;
    private String first = "{\"error\": \"" + LOSS + "\", \"hint\": \"\"}";

    @BeforeEach
    void listen() throws IOException {
        node = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        node.createContext("/cluster/nodes", exchange -> say(exchange, 200, nodes()));
        node.createContext("/cluster/switchover", exchange -> say(exchange, 200, "{\"phase\": \"none\"}"));
        node.createContext("/cluster/failover", exchange -> {
            boolean confirmed = sent(exchange).contains("accept_data_loss");
            epoch.addAndGet(confirmed ? 1 : 0);
            say(
                    exchange,
                    confirmed ? 202 : firstStatus,
                    confirmed ? "{\"accepted\": true, \"detail\": \"begun\"}" : first);
        });
        node.createContext("/cluster/members/fence", exchange -> {
            fenced = sent(exchange).contains("\"fenced\":true") && firstStatus == 202;
            say(exchange, firstStatus, first);
        });
        node.start();
    }

    @AfterEach
    void stop() {
        node.stop(0);
    }

    private String nodes() {
        return """
                {"answered_by": "node2", "primary": "%s", "leader": "%s", "epoch": %d, "failover_in_progress": false,
                 "rule": "none", "nodes": [{"id": "node3", "role": "REPLICA", "state": "STOPPED", "fenced": %s,
                 "health": "unknown", "sql_address": "localhost:5434"}]}
                """.formatted(PRIMARY, leader, epoch.get(), fenced);
    }

    private String sent(HttpExchange exchange) throws IOException {
        String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        posted.add(body);
        return body;
    }

    private static void say(HttpExchange exchange, int code, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(code, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    private int run(String command, String... more) {
        List<String> args = new ArrayList<>(
                List.of(command, "--api", "127.0.0.1:" + node.getAddress().getPort()));
        args.addAll(List.of(more));
        return execute(args);
    }

    private int execute(List<String> args) {
        PrintWriter out = new PrintWriter(said, true);
        return QuantaDb.execute(
                new Services(
                        () -> {
                            throw new AssertionError("runs no node");
                        },
                        () -> {
                            throw new AssertionError("makes no certificate");
                        },
                        () -> this::plan),
                Map.of("QUANTADB_DEMO_DIR", folder.resolve("none").toString()),
                folder,
                out,
                out,
                args.toArray(String[]::new));
    }

    private QuorumRecovery.Plan plan(NodeConfig config) {
        return new QuorumRecovery.Plan() {
            @Override
            public String cluster() {
                return "shop.1";
            }

            @Override
            public List<String> words() {
                return List.of("what is lost");
            }

            @Override
            public List<String> carryOut() {
                done.add("carried out for " + config.cluster().nodeId());
                return List.of("start it");
            }

            @Override
            public void close() {
                done.add("closed");
            }
        };
    }

    @Test
    void aFailoverIsAskedForWithoutEffectFirstAndThenWithTheWordThatLossIsAccepted() {
        // When
        int exit = run("failover", "--force", "--to", "node2", "--yes-i-accept-data-loss");

        // Then
        assertThat(exit).as(said.toString()).isZero();
        assertThat(posted)
                .containsExactly("{\"target\":\"node2\"}", "{\"target\":\"node2\",\"accept_data_loss\":true}");
        assertThat(said.toString())
                .contains("COMMITS THAT WERE ACKNOWLEDGED MAY BE LOST FOR GOOD", "2 must answer, and 1 do", "begun");
    }

    @Test
    void aFailoverThatNobodyForcesIsNone() {
        // When
        int exit = run("failover");

        // Then
        assertThat(exit).isEqualTo(ExitCode.CONFIG.status());
        assertThat(said.toString()).contains("happens by itself", "quantadb switchover", "--force");
        assertThat(posted).isEmpty();
    }

    @Test
    void aFailoverThatGoesOnByItselfIsNotForced() {
        // Given
        firstStatus = 409;
        first = "{\"error\": \"enough members answer: the failover goes on by itself\", \"hint\": \"\"}";

        // When
        int exit = run("failover", "--force", "--yes-i-accept-data-loss");

        // Then
        assertThat(exit).isEqualTo(ExitCode.REFUSED.status());
        assertThat(said.toString()).contains("goes on by itself");
        assertThat(posted).containsExactly("{}");
    }

    @Test
    void withoutALeaderAFailoverNamesWhatIsLeft() {
        // Given
        leader = "";

        // When
        int exit = run("failover", "--force", "--yes-i-accept-data-loss");

        // Then
        assertThat(exit).isEqualTo(ExitCode.REFUSED.status());
        assertThat(said.toString()).contains("a majority of the voters is not there", "quantadb recover-quorum");
        assertThat(posted).isEmpty();
    }

    @Test
    void aFenceIsWaitedForAndShown() {
        // Given
        firstStatus = 202;
        first = "{\"accepted\": true, \"detail\": \"node3 serves no SQL\"}";

        // When
        int exit = run("fence", "node3");

        // Then
        assertThat(exit).as(said.toString()).isZero();
        assertThat(posted).containsExactly("{\"node\":\"node3\",\"fenced\":true,\"anyway\":false}");
        assertThat(said.toString()).contains("node3 serves no SQL", "fenced: node3; no SQL there");
    }

    @Test
    void aFenceThatIsRefusedSaysWhy() {
        // Given
        firstStatus = 409;
        first = "{\"error\": \"node1 is the primary, and nobody can take over\", \"hint\": \"nothing was changed\"}";

        // When
        int exit = run("fence", "node1");

        // Then
        assertThat(exit).isEqualTo(ExitCode.REFUSED.status());
        assertThat(said.toString()).contains("node1 is the primary, and nobody can take over");
    }

    @Test
    void aLostMajorityIsRecoveredOnceLossIsAcceptedAndTheDiskIsLetGo() {
        // When
        int exit =
                execute(List.of("recover-quorum", "--node-id", "node3", "--data", "./d", "--yes-i-accept-data-loss"));

        // Then
        assertThat(exit).as(said.toString()).isZero();
        assertThat(done).containsExactly("carried out for node3", "closed");
        assertThat(said.toString()).contains("what is lost", "start it");
    }
}
