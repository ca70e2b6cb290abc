package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.cli.ExitCode;
import io.quantadb.node.cli.QuantaDb;
import io.quantadb.node.cli.Services;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.pki.ClusterCa;
import io.quantadb.node.pki.NodeCredentials;
import io.quantadb.node.pki.TlsFiles;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code quantadb init} with the real authority. */
class InitTest {
    private static final NodeId NODE1 = new NodeId("node1");

    private record Outcome(int status, String words) {}

    @TempDir
    Path folder;

    @Test
    void keepsTheNameOfTheClusterThatTheAuthorityServes() {
        // Given
        assertThat(init("--cluster", "shop", "node1").words()).contains("made the CA of cluster 'shop'");

        // When
        Outcome again = init("node2");

        // Then
        assertThat(again.words()).contains("kept the CA of cluster 'shop'");
        assertThat(init("--cluster", "shop", "node3").status()).isZero();
    }

    @Test
    void refusesAnotherNameForAnAuthorityThatIsThere() {
        // Given
        init("--cluster", "shop", "node1");

        // When
        Outcome refused = init("--cluster", "bank", "node2");

        // Then
        assertThat(refused.status()).isEqualTo(ExitCode.CONFIG.status());
        assertThat(refused.words())
                .hasLineCount(1)
                .contains("'shop'")
                .contains("'bank'")
                .contains("--dir");
        assertThat(tls().resolve("node2.crt")).doesNotExist();
    }

    @Test
    void renewsACertificateForTheNamesThatItHad() {
        // Given
        init("node1=db1.example.org,10.0.0.7,fd00::7");
        NodeCredentials before = credentials();

        // When
        Outcome renewed = init("--valid-for", "2d", "node1");

        // Then
        NodeCredentials after = credentials();
        assertThat(after.chain()).isNotEqualTo(before.chain());
        assertThat(ClusterCa.issuedNames(tls(), NODE1))
                .containsExactlyInAnyOrder("db1.example.org", "10.0.0.7", "fd00:0:0:0:0:0:0:7", "node1");
        assertThat(after.expires()).isBefore(Instant.now().plus(Duration.ofDays(2)));
        assertThat(renewed.words()).contains("db1.example.org, 10.0.0.7").contains("good for 2d");
    }

    @Test
    void saysWhatIsWrongWithTheFolderInOneLine() throws Exception {
        // Given
        Files.writeString(folder.resolve("file"), "");
        init("node1");
        Files.delete(tls().resolve("ca.key"));

        // When
        Outcome noFolder = run("init", "--dir", "file", "node1");
        Outcome noKey = init("node2");

        // Then
        for (Outcome refused : new Outcome[] {noFolder, noKey}) {
            assertThat(refused.status()).isEqualTo(ExitCode.CERTIFICATE.status());
            assertThat(refused.words()).hasLineCount(1).startsWith("quantadb: ").doesNotContain("Exception");
        }
        assertThat(noFolder.words()).contains("is not a directory");
        assertThat(noKey.words()).contains("ca.key does not exist");
    }

    @Test
    void refusesWhatWouldOverwriteItself() {
        assertThat(init("node1", "--operator", "node1").status()).isEqualTo(ExitCode.CONFIG.status());
        assertThat(init("node1", "node1=10.0.0.1").status()).isEqualTo(ExitCode.CONFIG.status());
        assertThat(init("node1=").words()).contains("names an empty host");
        assertThat(init("--valid-for", "soon", "node1").words()).contains("--valid-for soon is not a duration");
        assertThat(tls()).doesNotExist();
    }

    private NodeCredentials credentials() {
        return NodeCredentials.load(
                new TlsFiles(tls().resolve("ca.crt"), tls().resolve("node1.crt"), tls().resolve("node1.key")),
                NODE1,
                Instant.now());
    }

    private Path tls() {
        return folder.resolve("quantadb-tls");
    }

    private Outcome init(String... arguments) {
        String[] all = new String[arguments.length + 1];
        all[0] = "init";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        return run(all);
    }

    private Outcome run(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int status = QuantaDb.execute(
                new Services(AgentRunner::new, CaService::new),
                Map.of(),
                folder,
                new PrintWriter(out, true),
                new PrintWriter(err, true),
                arguments);
        return new Outcome(status, status == 0 ? out.toString() : err.toString());
    }
}
