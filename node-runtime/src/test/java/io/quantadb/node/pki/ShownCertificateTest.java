package io.quantadb.node.pki;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.testing.TestingCertificates;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ShownCertificateTest {
    private static final Instant NOW = Instant.parse("2026-05-01T12:00:00Z");

    @TempDir
    private Path folder;

    @Test
    void takesACertificateThatNamesNoNodeAndThatNoClusterSigned() throws Exception {
        // Given what a public authority issues: a wildcard name, an RSA key, the intermediate in the same file
        KeyPair authority = keys("RSA");
        KeyPair own = keys("RSA");
        Path cert = folder.resolve("server.crt");
        Path key = folder.resolve("server.key");
        X509Certificate leaf = certificate("CN=*.example.org", own, "CN=Some Authority", authority);
        PemFiles.writeCertificates(
                cert, List.of(leaf, certificate("CN=Some Authority", authority, "CN=Some Root", keys("RSA"))));
        PemFiles.writePrivateKey(key, own.getPrivate());

        // When
        ShownCertificate shown = ShownCertificate.load(cert, key, NOW);

        // Then
        assertThat(shown.chain()).hasSize(2).first().isEqualTo(leaf);
        assertThat(shown).hasToString("ShownCertificate[CN=*.example.org]");
    }

    @Test
    void saysWhichFileIsWrong() throws Exception {
        // Given
        ClusterCa ca = ClusterCa.create(folder.resolve("ca"), "shop", InstantSource.fixed(NOW));
        TlsFiles one = ca.issueNode(new NodeId("one"), List.of(), Duration.ofDays(10));
        TlsFiles two = ca.issueNode(new NodeId("two"), List.of(), Duration.ofDays(10));
        Path text = Files.writeString(folder.resolve("notes.txt"), "nothing");

        // Then
        refused(one.cert(), two.key(), NOW, two.key() + " does not belong to the first certificate in " + one.cert());
        refused(one.cert(), folder.resolve("gone.key"), NOW, "the private key for SQL clients");
        refused(text, one.key(), NOW, "the certificate for SQL clients " + text + " holds no PEM certificate");
        refused(one.cert(), one.key(), NOW.plus(Duration.ofDays(11)), one.cert() + " expired at");
    }

    private static void refused(Path cert, Path key, Instant now, String words) {
        assertThatThrownBy(() -> ShownCertificate.load(cert, key, now))
                .isInstanceOf(LocalFault.class)
                .hasMessageContaining(words);
    }

    private static KeyPair keys(String algorithm) throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
        generator.initialize(2048);
        return generator.generateKeyPair();
    }

    private static X509Certificate certificate(String subject, KeyPair keys, String issuer, KeyPair signer) {
        return TestingCertificates.issue(
                subject, keys.getPublic(), issuer, signer.getPrivate(), NOW.minusSeconds(60), Duration.ofDays(90));
    }
}
