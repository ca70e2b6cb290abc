package io.quantadb.node.pki;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.common.NodeId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodeCredentialsTest {
    private static final Instant NOW = Instant.parse("2026-05-01T12:00:00Z");
    private static final NodeId NODE = new NodeId("node1");

    @TempDir
    private Path folder;

    private ClusterCa ca;
    private TlsFiles files;

    @BeforeEach
    void issue() {
        ca = ClusterCa.create(folder.resolve("ca"), "shop", InstantSource.fixed(NOW));
        files = ca.issueNode(NODE, List.of("db1.example.org", "10.0.0.7", "::1"), Duration.ofDays(10));
    }

    @Test
    void issuesACertificateForTheNodeItsNamesAndBothSidesOfTls() throws Exception {
        // When
        NodeCredentials loaded = NodeCredentials.load(files, NODE, NOW);
        // Then
        var certificate = loaded.chain().getFirst();
        assertThat(loaded.node()).isEqualTo(NODE);
        assertThat(loaded.cluster()).contains("shop");
        assertThat(loaded.expires()).isEqualTo(NOW.plus(Duration.ofDays(10)));
        assertThat(certificate.getPublicKey().getAlgorithm()).isEqualTo("EC");
        assertThat(certificate.getExtendedKeyUsage())
                .containsExactlyInAnyOrder("1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2");
        assertThat(certificate.getSubjectAlternativeNames())
                .extracting(name -> String.valueOf(name.get(1)))
                .containsExactlyInAnyOrder("db1.example.org", "10.0.0.7", "0:0:0:0:0:0:0:1", "node1");
        assertThat(certificate.getBasicConstraints()).isEqualTo(-1);
    }

    @Test
    void keepsKeysAndTheirDirectoryToTheOwner() throws IOException {
        assertThat(mode(folder.resolve("ca"))).isEqualTo("rwx------");
        assertThat(mode(folder.resolve("ca/ca.key"))).isEqualTo("rw-------");
        assertThat(mode(files.key())).isEqualTo("rw-------");
        assertThat(mode(files.cert())).isEqualTo("rw-r--r--");
        try (var left = Files.list(folder.resolve("ca"))) {
            assertThat(left.map(f -> f.getFileName().toString()))
                    .containsExactlyInAnyOrder("ca.crt", "ca.key", "node1.crt", "node1.key");
        }
    }

    private static String mode(Path file) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }

    @Test
    void neverOutlivesItsAuthority() {
        // When
        TlsFiles longLived = ca.issueNode(new NodeId("node2"), List.of(), Duration.ofDays(36500));
        // Then
        var loaded = NodeCredentials.load(longLived, NOW);
        assertThat(loaded.expires())
                .isEqualTo(loaded.authorities().getFirst().getNotAfter().toInstant());
    }

    @Test
    void namesTheFileThatIsMissing() throws IOException {
        Files.delete(files.key());
        assertThatThrownBy(() -> NodeCredentials.load(files, NODE, NOW))
                .isInstanceOf(LocalFault.class)
                .hasMessageContaining(files.key().toString())
                .hasMessageContaining("does not exist")
                .hasMessageContaining("quantadb init");
    }

    @Test
    void namesTheFileThatCannotBeRead() throws IOException {
        Files.delete(files.cert());
        Files.createDirectory(files.cert());
        assertThatThrownBy(() -> NodeCredentials.load(files, NODE, NOW))
                .isInstanceOf(LocalFault.class)
                .hasMessageContaining(files.cert().toString())
                .hasMessageContaining("cannot be read");
    }

    @Test
    void saysWhenTheCertificateExpired() {
        assertThatThrownBy(() -> NodeCredentials.load(files, NODE, NOW.plus(Duration.ofDays(11))))
                .isInstanceOf(LocalFault.class)
                .hasMessageContaining(files.cert().toString())
                .hasMessageContaining("expired at 2026-05-11T12:00:00Z")
                .hasMessageContaining("issue a new one");
    }

    @Test
    void saysWhenTheCertificateIsNotYetValid() {
        assertThatThrownBy(() -> NodeCredentials.load(files, NODE, NOW.minus(Duration.ofDays(1))))
                .isInstanceOf(LocalFault.class)
                .hasMessageContaining("is not valid before 2026-05-01T11:55:00Z")
                .hasMessageContaining("clock");
    }

    @Test
    void refusesACertificateOfAnotherAuthorityEvenOfTheSameName() {
        // Given
        ClusterCa other = ClusterCa.create(folder.resolve("other"), "shop", InstantSource.fixed(NOW));
        var mixed = new TlsFiles(other.certificateFile(), files.cert(), files.key());
        // When, Then
        assertThatThrownBy(() -> NodeCredentials.load(mixed, NODE, NOW))
                .isInstanceOf(LocalFault.class)
                .hasMessageContaining("was not signed by the CA in " + other.certificateFile());
    }

    @Test
    void acceptsAnyOfSeveralAuthoritiesWhileTheCaIsBeingChanged() throws IOException {
        // Given
        ClusterCa other = ClusterCa.create(folder.resolve("other"), "shop", InstantSource.fixed(NOW));
        Path both = folder.resolve("both.crt");
        Files.writeString(both, Files.readString(other.certificateFile()) + Files.readString(ca.certificateFile()));
        // When
        var loaded = NodeCredentials.load(new TlsFiles(both, files.cert(), files.key()), NODE, NOW);
        // Then
        assertThat(loaded.authorities()).hasSize(2);
    }

    @Test
    void refusesTheKeyOfAnotherCertificate() {
        TlsFiles other = ca.issueNode(new NodeId("node2"), List.of(), Duration.ofDays(10));
        var mixed = new TlsFiles(files.ca(), files.cert(), other.key());
        assertThatThrownBy(() -> NodeCredentials.load(mixed, NODE, NOW))
                .isInstanceOf(LocalFault.class)
                .hasMessageContaining(other.key() + " does not belong to the certificate " + files.cert());
    }

    @Test
    void refusesTheCertificateOfAnotherNode() {
        assertThatThrownBy(() -> NodeCredentials.load(files, new NodeId("node9"), NOW))
                .isInstanceOf(LocalFault.class)
                .hasMessageContaining("is that of node 'node1', and this node is 'node9'");
    }

    @Test
    void saysHowToConvertAKeyInAnotherForm() throws IOException {
        Files.writeString(files.key(), "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n");
        assertThatThrownBy(() -> NodeCredentials.load(files, NODE, NOW))
                .isInstanceOf(LocalFault.class)
                .hasMessageContaining("openssl pkcs8 -topk8 -nocrypt");
    }

    @Test
    void refusesFilesThatHoldSomethingElse() throws IOException {
        Files.writeString(files.cert(), "hello");
        assertThatThrownBy(() -> NodeCredentials.load(files, NODE, NOW))
                .isInstanceOf(LocalFault.class)
                .hasMessageContaining(files.cert() + " holds no PEM certificate");
        Files.write(files.ca(), new byte[300_000]);
        assertThatThrownBy(() -> NodeCredentials.load(files, NODE, NOW))
                .isInstanceOf(LocalFault.class)
                .hasMessageContaining("is larger than");
    }

    @Test
    void doesNotReplaceAnAuthorityAndOpensItInstead() {
        assertThatThrownBy(() -> ClusterCa.create(folder.resolve("ca"), "shop", InstantSource.fixed(NOW)))
                .isInstanceOf(LocalFault.class)
                .hasMessageContaining("already holds a cluster CA");
        ClusterCa opened = ClusterCa.open(folder.resolve("ca"), InstantSource.fixed(NOW));
        TlsFiles given = opened.issueNode(folder.resolve("n3"), new NodeId("node3"), List.of(), Duration.ofDays(1));
        assertThat(NodeCredentials.load(given, NOW).cluster()).contains("shop");
        assertThat(given.ca()).isEqualTo(folder.resolve("n3/ca.crt"));
    }

    @Test
    void refusesTheOneNodeIdWhoseFilesWouldBeThoseOfTheAuthority() {
        assertThatThrownBy(() -> ca.issueNode(new NodeId("ca"), List.of(), Duration.ofDays(1)))
                .isInstanceOf(LocalFault.class)
                .hasMessageContaining("rename it");
    }

    @Test
    void neverPrintsAKey() {
        assertThat(NodeCredentials.load(files, NODE, NOW).toString())
                .isEqualTo("NodeCredentials[node=node1, cluster=shop, expires=2026-05-11T12:00:00Z]");
    }
}
