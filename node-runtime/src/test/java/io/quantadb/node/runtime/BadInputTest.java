package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.cli.ExitCode;
import io.quantadb.node.cli.QuantaDb;
import io.quantadb.node.cli.Services;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.coordinator.FactStore;
import io.quantadb.node.coordinator.NodeFacts;
import io.quantadb.node.raftlog.DirectoryLock;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a user gets for wrong input: one line that says what to do, an exit code of its kind, and nothing changed. */
final class BadInputTest {
    private record Outcome(int status, String words) {}

    @TempDir
    private Path folder;

    private int base;

    /** A base whose five ports are free at this moment. */
    @BeforeEach
    void findPorts() throws IOException {
        for (int candidate = 21000; candidate < 22000; candidate += 7) {
            if (free(candidate) && free(candidate + 1000) && free(candidate + 2000) && free(candidate + 4000)) {
                base = candidate;
                return;
            }
        }
        throw new IOException("no free ports");
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', textBlock = """
            --cluster-mode primary                                                    | 2 | --node-id
            --cluster-mode king --node-id n1                                          | 2 | none, primary, replica
            --cluster-mode replica --node-id n1                                       | 2 | --primary host:port
            --cluster-mode primary --node-id n1 --set wholly.unheard=1                | 2 | configuration.md
            --cluster-mode primary --node-id n1 --host 0.0.0.0                        | 2 | --advertised-host
            --cluster-mode primary --node-id n1 --host no.such.host.invalid --advertised-host localhost --tls-dir x | 2 | no.such.host.invalid
            --cluster-mode primary --node-id n1 --host 203.0.113.1 --tls-dir x        | 2 | no address of this machine
            --cluster-mode primary --node-id n1 --host 0.0.0.0 --advertised-host db1  | 4 | quantadb init
            --cluster-mode primary --node-id n1 --tls-dir nowhere                     | 4 | ca.crt
            --cluster-mode none --set client_tls.cert_file=no.crt --set client_tls.key_file=no.key | 4 | no.crt does not exist
            --cluster-mode primary --node-id n1 --set postgres.bin_dir=nowhere        | 6 | postgres.bin_dir
            --cluster-mode primary --node-id n1 --set postgres.superuser=quantadb     | 2 | the agent's own role
            --cluster-mode primary --node-id n1 --set postgres.parameters={"port":"1"} | 2 | belongs to the cluster
            """)
    void saysWhatToDoAndChangesNothing(String arguments, int status, String words) throws IOException {
        // When
        Outcome outcome = run(arguments.strip().split("\\s+"));

        // Then
        assertThat(outcome.words()).contains(words).startsWith("quantadb: ").hasLineCount(1);
        assertThat(outcome.status()).isEqualTo(status);
        assertThat(data().resolve("cluster")).doesNotExist();
    }

    @Test
    void namesAPortThatIsTakenAndMakesNoFolder() throws IOException {
        try (ServerSocket taken = new ServerSocket(base + 2000, 1, InetAddress.getByName("localhost"))) {
            // When
            Outcome outcome = run("--cluster-mode", "primary", "--node-id", "n1");

            // Then
            assertThat(outcome.status()).isEqualTo(ExitCode.PORT.status());
            assertThat(outcome.words())
                    .contains(Integer.toString(taken.getLocalPort()))
                    .contains("raft_port");
            assertThat(data()).doesNotExist();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"primary", "none"})
    void missesAPasswordFileBeforeItMakesAnything(String mode) throws IOException {
        // Given
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));

        // When
        Outcome outcome = run(
                "--cluster-mode",
                mode,
                "--node-id",
                "n1",
                "--set",
                "postgres.superuser_password_file=" + folder.resolve("no"));

        // Then
        assertThat(outcome.status()).isEqualTo(ExitCode.CONFIG.status());
        assertThat(outcome.words()).contains("password file " + folder.resolve("no") + " cannot be read: no such file");
        assertThat(data()).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(strings = {"primary", "none"})
    void leavesWhatAnotherAgentUsesAlone(String mode) throws IOException {
        // Given
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        try (DirectoryLock other = DirectoryLock.acquire(data())) {
            // When
            Outcome outcome = run("--cluster-mode", mode, "--node-id", "n1");

            // Then
            assertThat(other).isNotNull();
            assertThat(outcome.status()).isEqualTo(ExitCode.DATA_DIRECTORY.status());
            assertThat(outcome.words())
                    .hasLineCount(1)
                    .contains(data() + " is in use by process "
                            + ProcessHandle.current().pid());
            try (Stream<Path> left = Files.list(data())) {
                assertThat(left).containsExactly(data().resolve("lock"));
            }
        }
    }

    /** Started without its mode, the disk of a primary would take writes that no other member ever has. */
    @Test
    void runsNoMembersDiskAlone() throws IOException {
        // Given
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path metadata = Files.createDirectories(data().resolve("cluster"));
        try (FactStore store = new FactStore(metadata.resolve("node.facts"), fault -> {})) {
            store.put(new NodeFacts(new NodeId("n1"), 7, "shop-1", 42, 1, 0, "", null));
        }

        // When
        Outcome outcome = run("--node-id", "n1");

        // Then
        assertThat(outcome.status()).isEqualTo(ExitCode.DATA_DIRECTORY.status());
        assertThat(outcome.words()).contains("node n1 of cluster shop-1", "--cluster-mode");
        assertThat(data().resolve("postgres")).doesNotExist();
    }

    @Test
    void refusesADataDirectoryBelowAFile() throws IOException {
        // Given
        Files.writeString(data(), "a file");

        // When
        Outcome outcome = run("--cluster-mode", "primary", "--node-id", "n1");

        // Then
        assertThat(outcome.status()).isEqualTo(ExitCode.DATA_DIRECTORY.status());
        assertThat(outcome.words()).contains("is a file").contains("--data");
    }

    @Test
    void refusesAPostgresqlThatIsTooOld() throws IOException {
        // Given
        Path bin = Files.createDirectory(folder.resolve("bin"));
        for (String tool : List.of("postgres", "initdb")) {
            Path file = Files.writeString(bin.resolve(tool), "#!/bin/sh\necho '" + tool + " (PostgreSQL) 14.9'\n");
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));

        // When
        Outcome outcome = run("--cluster-mode", "primary", "--node-id", "n1", "--set", "postgres.bin_dir=" + bin);

        // Then
        assertThat(outcome.status()).isEqualTo(ExitCode.POSTGRES.status());
        assertThat(outcome.words()).contains("14.9").contains("15 to 18");
    }

    private Path data() {
        return folder.resolve("data");
    }

    private Outcome run(String... arguments) throws IOException {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--data", data().toString(), "--port", Integer.toString(base)));
        StringWriter words = new StringWriter();
        Services services = new Services(AgentRunner::new, CaService::new);
        int status = QuantaDb.execute(
                services,
                Map.of("PATH", "/usr/bin:/bin"),
                folder,
                new PrintWriter(words, true),
                new PrintWriter(words, true),
                all.toArray(String[]::new));
        return new Outcome(status, words.toString());
    }

    private static boolean free(int port) {
        return Stream.of(port).allMatch(p -> {
            try (ServerSocket socket = new ServerSocket(p, 1, InetAddress.getByName("localhost"))) {
                return socket.isBound();
            } catch (IOException e) {
                return false;
            }
        });
    }
}
