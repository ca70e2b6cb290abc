package io.quantadb.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.config.NodeConfig;
import io.quantadb.node.config.NodeMode;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class QuantaDbTest {
    @TempDir
    Path dir;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final List<NodeConfig> ran = new ArrayList<>();
    private Map<String, String> environment = Map.of();
    private NodeRunner runner = config -> {
        ran.add(config);
        return 0;
    };

    @Test
    void runsANodeWithTheSeedsFlags() {
        // When
        int status = run(
                "--cluster-mode",
                "replica",
                "--node-id",
                "node2",
                "--data",
                "./data/replica",
                "--port",
                "5433",
                "--primary",
                "localhost:6432");

        // Then
        assertThat(err.toString()).isEmpty();
        assertThat(status).isZero();
        assertThat(ran).singleElement().satisfies(config -> {
            assertThat(config.cluster().mode()).isEqualTo(NodeMode.REPLICA);
            assertThat(config.ports().sql()).isEqualTo(5433);
            assertThat(config.cluster().replication().primaryAddress()).hasToString("localhost:6432");
        });
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            value = {
                "--nodeid x|quantadb: Unknown options: '--nodeid', 'x'; did you mean --node-id",
                "--port|quantadb: Missing required parameter for option '--port' (PORT); see quantadb --help",
                "--cluster-mode primary|quantadb: cluster.node_id is missing: a node of a cluster needs a name of its own",
                "--config nowhere.json|quantadb: file",
                "--set port|quantadb: --set port is not KEY=VALUE; write --set log_level=debug",
                "--log-level loud|quantadb: log_level=loud is not one of debug, info, warn, error (from --log-level)",
            })
    void refusesBadInputWithOneLineAndItsCode(String arguments, String message) {
        // When
        int status = run(arguments.split(" "));

        // Then
        assertThat(status).isEqualTo(ExitCode.CONFIG.status());
        assertThat(err.toString()).startsWith(message);
        assertThat(err.toString().strip().lines()).hasSize(1);
        assertThat(ran).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"up", "status", "down", "kill", "failover", "restart"})
    void everyCommandOfTheDemoHasHelp(String command) {
        // When
        int status = run("demo", command, "--help");

        // Then
        assertThat(status).isZero();
        assertThat(out.toString()).startsWith("Usage: quantadb demo " + command);
        assertThat(err.toString()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"init", "demo", "status", "psql-url", "stop", "version", "warm-up"})
    void everyCommandHasHelpAndSaysWhereItIs(String command) {
        // When
        int status = run(command, "--help");
        int wrong = run(command, "--bogus");

        // Then
        assertThat(status).isZero();
        assertThat(out.toString()).startsWith("Usage: quantadb " + command);
        assertThat(wrong).isEqualTo(ExitCode.CONFIG.status());
        assertThat(err.toString().strip()).hasLineCount(1).contains("'--bogus'");
        assertThat(err.toString().strip()).endsWith("; see quantadb " + command + " --help");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--version", "version", "status --version", "demo up -V", "init -V"})
    void tellsTheVersionEverywhere(String arguments) {
        // When
        int status = run(arguments.split(" "));

        // Then
        assertThat(status).isZero();
        assertThat(out.toString()).startsWith("quantadb ").contains("Java 25").hasLineCount(1);
    }

    @Test
    void aHostAndPortInAMessageIsNoMentionOfTheSettingPort() {
        // When
        int status = run("--cluster-mode", "replica", "--node-id", "n2", "--port", "5433");

        // Then
        assertThat(status).isEqualTo(ExitCode.CONFIG.status());
        assertThat(err.toString().strip()).endsWith("(for example --primary localhost:6432)");
    }

    @Test
    void tellsAFailureByItsOwnCodeWithoutATrace() {
        // Given
        runner = config -> {
            throw new Failure(ExitCode.PORT, "port 5432 on localhost is taken by another process", "choose --port");
        };

        // When
        int status = run("--port", "5432");

        // Then
        assertThat(status).isEqualTo(ExitCode.PORT.status());
        assertThat(err)
                .hasToString("quantadb: port 5432 on localhost is taken by another process; choose --port"
                        + System.lineSeparator());
    }

    @Test
    void startsNoNodeWhenNothingWasAskedFor() {
        // When
        int status = run();

        // Then
        assertThat(status).isEqualTo(ExitCode.CONFIG.status());
        assertThat(err.toString()).startsWith("quantadb: nothing was asked for; see quantadb --help");
        assertThat(ran).isEmpty();
    }

    @Test
    void startsANodeFromTheEnvironmentAlone() {
        // Given
        environment = Map.of("QUANTADB_PORT", "6000");

        // When
        int status = run();

        // Then
        assertThat(status).isZero();
        assertThat(ran)
                .singleElement()
                .satisfies(config -> assertThat(config.ports().sql()).isEqualTo(6000));
    }

    @Test
    void printsATraceOnlyWhenDebugging() {
        // Given
        runner = config -> {
            throw new IllegalStateException("boom");
        };

        // When
        int status = run("--log-level", "debug");

        // Then
        assertThat(status).isEqualTo(ExitCode.INTERNAL.status());
        assertThat(err.toString()).startsWith("quantadb: unexpected fault").contains("\tat io.quantadb.node.cli");
    }

    @Test
    void exitCodesAreDistinctAndDocumented() throws Exception {
        // Given
        Path page = Path.of("..", "docs", "reference", "exit-codes.md");
        if (Boolean.getBoolean("quantadb.docs.write")) {
            Files.createDirectories(page.getParent());
            Files.writeString(page, ExitCode.markdown());
        }

        // When
        String text = Files.readString(page);

        // Then
        assertThat(text).isEqualTo(ExitCode.markdown());
        assertThat(ExitCode.values()).extracting(ExitCode::status).doesNotHaveDuplicates();
    }

    private int run(String... args) {
        return QuantaDb.execute(
                new Services(() -> runner, () -> {
                    throw new AssertionError("no authority is needed");
                }),
                environment,
                dir,
                new PrintWriter(out, true),
                new PrintWriter(err, true),
                args);
    }
}
