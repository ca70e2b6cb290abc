package io.quantadb.node.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
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
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What an operator's commands say where they do not do what was typed, against a node that the test plays. */
class OperatorWordsTest {
    private static final String NODES = """
            {"answered_by": "node1", "primary": "node1", "leader": "node1", "epoch": 3, "failover_in_progress": false,
             "mode": "quorum", "policy": "shrink", "shrink_after_ms": 90000, "rule": "none", "minority_reads": "none",
             "nodes": [
              {"id": "node1", "kind": "DATA", "role": "PRIMARY", "generation": 1, "health": "healthy"},
              {"id": "node3", "kind": "DATA", "role": "REPLICA", "generation": 2, "health": "unknown", "fenced": true,
               "api_address": "127.0.0.1:%d"}]}
            """;

    @TempDir
    Path folder;

    private final StringWriter said = new StringWriter();
    private final List<String> posted = Collections.synchronizedList(new ArrayList<>());
    private HttpServer node;
    private volatile int status = 409;
    private volatile String answer = "{\"error\": \"it cannot be\", \"hint\": \"GET this path\"}";

    @BeforeEach
    void listen() throws IOException {
        node = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        node.createContext(
                "/cluster/nodes",
                e -> say(e, 200, NODES.formatted(node.getAddress().getPort())));
        node.createContext("/cluster/status", e -> say(e, 200, "{\"replication\": {\"server_pid\": 0}}"));
        node.createContext("/", e -> {
            posted.add(e.getRequestURI().getPath());
            say(e, status, answer);
        });
        node.start();
    }

    @AfterEach
    void stop() {
        node.stop(0);
    }

    private static void say(HttpExchange exchange, int code, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(code, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    private int run(String command) {
        List<String> args = new ArrayList<>(List.of(command.split(" ")));
        args.addAll(List.of("--api", "127.0.0.1:" + node.getAddress().getPort()));
        PrintWriter out = new PrintWriter(said, true);
        return QuantaDb.execute(
                new Services(() -> config -> 1, () -> {
                    throw new AssertionError("makes no certificate");
                }),
                Map.of("QUANTADB_DEMO_DIR", folder.resolve("none").toString()),
                folder,
                out,
                out,
                args.toArray(String[]::new));
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', textBlock = """
            fence node3 --timeout soon                 | --timeout soon is not a duration
            settings move_delay=soon                   | move_delay=soon is not a duration
            settings move_delay                        | 'move_delay' is to be what?
            settings move_delay=9m                     | move_delay=9m must be from
            settings slow_standby_after=1ms            | slow_standby_after=1ms must be from 100ms to 24h
            settings election_timeout_limit=2m         | election_timeout_limit=2m must be from 50ms to 1m
            mode all --minority-reads some             | --minority-reads is one of none, replicas, all, not 'some'
            mode some                                  | MODE is one of quorum, all, async, not 'some'
            mode quorum --policy some                  | --policy is one of block, shrink, not 'some'
            members set node3                          | nothing is set; give --priority N
            members set node3 --zone b --upstream node1 | --upstream is set by a command of its own
            members set node3 --priority 1001          | priority 1001 must be from 0 to 1000
            members set node3 --zone a/b/c             | zone 'a/b/c' must have one slash at most
            maintenance on --for 0s                    | --for 0s is less than a second
            """)
    void aValueThatCannotBeIsNamedAndNothingIsAskedOfTheCluster(String command, String words) {
        // When
        int exit = run(command.strip());

        // Then
        assertThat(exit).isEqualTo(ExitCode.CONFIG.status());
        assertThat(said.toString().strip()).hasLineCount(1).contains(words.strip());
        assertThat(posted).isEmpty();
    }

    @Test
    void aRefusalEndsWithWhatToTypeAndNotWithWhatToSend() {
        // When
        int exit = run("switchover --to node3");

        // Then
        assertThat(exit).isEqualTo(ExitCode.REFUSED.status());
        assertThat(said.toString())
                .contains("it cannot be; nothing was changed; see quantadb members")
                .doesNotContain("GET");
    }

    @Test
    void aTokenThatCannotBeReadIsNamed() {
        // When
        int exit = run("mode all --token-file " + folder.resolve("api.token"));

        // Then
        assertThat(exit).isEqualTo(ExitCode.CERTIFICATE.status());
        assertThat(said.toString()).contains("--token-file " + folder.resolve("api.token") + " cannot be read");
        assertThat(posted).isEmpty();
    }

    @Test
    void aMembersOwnDataIsNotAdopted() throws IOException {
        // Given
        Path data = Files.createDirectories(folder.resolve("postgres"));
        Files.writeString(data.resolve("PG_VERSION"), "15\n");
        Files.writeString(Files.createDirectory(folder.resolve("cluster")).resolve("node.facts"), "");

        // When
        PrintWriter out = new PrintWriter(said, true);
        int exit = QuantaDb.execute(
                new Services(() -> config -> 1, () -> {
                    throw new AssertionError("makes no certificate");
                }),
                Map.of(),
                folder,
                out,
                out,
                "adopt",
                "--check",
                data.toString(),
                "--data",
                folder.resolve("new").toString());

        // Then
        assertThat(exit).isEqualTo(ExitCode.REFUSED.status());
        assertThat(said.toString()).contains("is the data of a cluster's node already", "nothing is to be adopted");
    }

    @Test
    void aMemberThatIsNoneIsNotCopied() {
        // When
        int exit = run("members resync node9");

        // Then
        assertThat(exit).isEqualTo(ExitCode.REFUSED.status());
        assertThat(said.toString()).contains("no member is called node9; the members are node1, node3");
        assertThat(posted).isEmpty();
    }

    @Test
    void aNodeWithoutAServerIsNotRestartedForTheReasonThatTheLeaderTells() {
        // Given
        answer = "{\"error\": \"node3 is fenced: unfence it first\", \"hint\": \"\"}";

        // When
        int exit = run("restart node3");

        // Then
        assertThat(exit).isEqualTo(ExitCode.REFUSED.status());
        assertThat(said.toString()).contains("node3 is fenced: unfence it first");
        assertThat(posted).containsExactly("/cluster/members/restart");
    }

    @Test
    void aCopyThatDoesNotBeginIsNotWaitedForForLong() throws IOException {
        // Given
        JsonNode view = new ObjectMapper().readTree(NODES.formatted(1));
        long longAgo = System.nanoTime() - MembersCommand.BEGINS.toNanos() - 1;

        // When / Then
        assertThat(MembersCommand.begun(view, "node3", 1, longAgo)).isSameAs(view);
        assertThat(MembersCommand.begun(view, "node3", 2, System.nanoTime())).isSameAs(view);
        assertThatThrownBy(() -> MembersCommand.begun(view, "node3", 2, longAgo))
                .isInstanceOf(Failure.class)
                .hasMessageContaining("node3 has not begun to copy");
    }

    @Test
    void theModeIsToldInWords() {
        // When
        int exit = run("mode");

        // Then
        assertThat(exit).isZero();
        assertThat(said.toString())
                .contains("mode quorum, policy shrink after 90s; commits wait for nobody else; without a leader");
    }
}
