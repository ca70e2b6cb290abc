package io.quantadb.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The command against a node that only says what the test lets it say. */
class SwitchoverCommandTest {
    private static final String NODES =
            "{\"answered_by\": \"node1\", \"primary\": \"node1\", \"leader\": \"node1\", \"epoch\": 7, \"nodes\": []}";

    @TempDir
    Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final List<String> posted = Collections.synchronizedList(new ArrayList<>());
    private final Deque<String> told = new ArrayDeque<>();
    private HttpServer node;
    private int status = 202;
    private String first = body("preparing", "a checkpoint on node1", -1, 0);

    @BeforeEach
    void listen() throws IOException {
        node = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        node.createContext("/cluster/nodes", exchange -> say(exchange, 200, NODES));
        node.createContext("/cluster/switchover", this::answer);
        node.start();
    }

    @AfterEach
    void stop() {
        node.stop(0);
    }

    @Test
    void showsEachPhaseAndEndsWithTheGap() throws IOException {
        // Given
        Path token = Files.writeString(folder.resolve("api.token"), "secret\n");
        told.add(body("preparing", "a checkpoint on node1", -1, 20));
        told.add(body("holding", "transactions under way on node1", 2, 40));
        told.add(body("done", "", 143, 402).replace("402", "402, \"steps_ms\": {\"prepare\": 250, \"hold\": 9}"));

        // When
        int exit = run("--to", "node2", "--token-file", token.toString(), "--timeout", "10s");

        // Then
        assertThat(err.toString()).isEmpty();
        assertThat(exit).isZero();
        assertThat(posted)
                .containsExactly(
                        "Bearer secret {\"timeout\":\"10s\",\"drain\":\"250ms\",\"epoch\":7,\"target\":\"node2\"}");
        assertThat(out.toString()).isEqualToNormalizingNewlines("""
                 0.000 s  node1 to node2  preparing: a checkpoint on node1
                 0.040 s  node1 to node2  holding: transactions under way on node1
                FROM  TO    EPOCH WRITE GAP TOOK
                node1 node2 8     143 ms    402 ms
                steps, in ms: prepare 250, hold 9
                """);
    }

    @ParameterizedTest(name = "{0} ends with {1}")
    @CsvSource({"409,12", "403,4", "400,2", "503,9", "500,1"})
    void tellsARefusalByItsOwnCode(int answered, int exit) {
        // Given
        status = answered;
        first = "{\"error\": \"node2 is in maintenance\", \"hint\": \"end it\"}";

        // When
        int ended = run("--to", "node2");

        // Then
        assertThat(ended).isEqualTo(exit);
        assertThat(err.toString()).contains("node2 is in maintenance");
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void saysHowToProveOneselfToANodeThatDoesNotKnowWhoAsks() {
        // Given
        status = 401;
        first = "{\"error\": \"this path needs a client certificate of the cluster's CA\", \"hint\": \"\"}";

        // When
        int ended = run();

        // Then
        assertThat(ended).isEqualTo(ExitCode.CERTIFICATE.status());
        assertThat(err.toString()).contains("needs a client certificate", "--token-file", "--cert");
    }

    @Test
    void saysWhyItWasGivenUp() {
        // Given
        told.add(body("aborted", "node2 did not answer; node1 serves on", 600, 900));

        // When
        int ended = run();

        // Then
        assertThat(ended).isEqualTo(ExitCode.ABORTED.status());
        assertThat(err.toString()).contains("node2 did not answer; node1 serves on");
    }

    @Test
    void asksNobodyWhenATimeIsNoTime() {
        // When
        int ended = run("--timeout", "soon");

        // Then
        assertThat(ended).isEqualTo(ExitCode.CONFIG.status());
        assertThat(err.toString()).contains("--timeout soon is not a duration");
        assertThat(posted).isEmpty();
    }

    @Test
    void saysThatNobodyIsThere() {
        // Given
        node.stop(0);

        // When
        int ended = run();

        // Then
        assertThat(ended).isEqualTo(ExitCode.NOT_RUNNING.status());
        assertThat(err.toString())
                .contains("no node answers: 127.0.0.1:" + node.getAddress().getPort());
    }

    private int run(String... more) {
        List<String> args = new ArrayList<>(
                List.of("switchover", "--api", "127.0.0.1:" + node.getAddress().getPort()));
        args.addAll(List.of(more));
        return QuantaDb.execute(
                Services.fromClassPath(),
                Map.of("QUANTADB_DEMO_DIR", folder.resolve("none").toString()),
                folder,
                new PrintWriter(out, true),
                new PrintWriter(err, true),
                args.toArray(String[]::new));
    }

    private void answer(HttpExchange exchange) throws IOException {
        String text;
        int code = 200;
        if (exchange.getRequestMethod().equals("POST")) {
            String sent = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            String proof = exchange.getRequestHeaders().getFirst("Authorization");
            posted.add((proof == null ? "" : proof + " ") + sent);
            text = first;
            code = status;
        } else {
            text = told.size() > 1 ? told.removeFirst() : told.getFirst();
        }
        say(exchange, code, text);
    }

    private static void say(HttpExchange exchange, int code, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(code, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    private static String body(String phase, String reason, long gapMs, long tookMs) {
        boolean over = phase.equals("done") || phase.equals("aborted");
        return """
                {"id": "5", "phase": "%s", "over": %s, "from": "node1", "to": "node2", "epoch": 8,
                 "reason": "%s", "write_gap_ms": %d, "took_ms": %d}
                """.formatted(phase, over, reason, gapMs, tookMs);
    }
}
