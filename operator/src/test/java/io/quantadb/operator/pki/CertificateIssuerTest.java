package io.quantadb.operator.pki;

import static org.assertj.core.api.Assertions.assertThat;

import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The shapes are the node's: it reads the CN as node id and the O as cluster, and the O of a role certificate as role. */
class CertificateIssuerTest {
    private static final Instant NOW = Instant.parse("2026-03-01T12:00:00Z");
    private static final String CLIENT = "1.3.6.1.5.5.7.3.2";
    private static final String SERVER = "1.3.6.1.5.5.7.3.1";

    private final CertificateIssuer issuer = new CertificateIssuer(new SecureRandom(), InstantSource.fixed(NOW));
    private final Credential authority = issuer.authority("orders");

    @Test
    void theAuthorityIsGoodForTenYearsAndSignsNoOtherAuthority() {
        X509Certificate certificate = authority.certificate();
        assertThat(certificate.getSubjectX500Principal().getName()).isEqualTo("CN=QuantaDB cluster CA,O=orders");
        assertThat(certificate.getBasicConstraints()).isZero();
        assertThat(Duration.between(NOW, certificate.getNotAfter().toInstant())).isEqualTo(Duration.ofDays(3650));
        assertThat(certificate.getPublicKey().getAlgorithm()).isEqualTo("EC");
    }

    @Test
    void aNodesCertificateNamesTheClusterAndTheNode() throws Exception {
        X509Certificate certificate = issuer.node(
                        authority,
                        "orders",
                        "orders-0",
                        List.of("orders-0", "orders-rw.shop.svc"),
                        Duration.ofDays(365))
                .certificate();
        assertThat(certificate.getSubjectX500Principal().getName()).isEqualTo("CN=orders-0,O=orders");
        assertThat(certificate.getExtendedKeyUsage()).containsExactlyInAnyOrder(CLIENT, SERVER);
        assertThat(certificate.getSubjectAlternativeNames())
                .extracting(name -> (Object) name.get(1))
                .containsExactly("orders-0", "orders-rw.shop.svc");
        assertThat(certificate.getBasicConstraints()).isEqualTo(-1);
        assertThat(authority.signed(certificate)).isTrue();
        assertThat(issuer.authority("orders").signed(certificate)).isFalse();
    }

    @Test
    void theOperatorsCertificateIsAClientsOfOneClusterOnly() throws Exception {
        X509Certificate certificate =
                issuer.operator(authority, "orders", Duration.ofDays(1)).certificate();
        assertThat(certificate.getSubjectX500Principal().getName())
                .isEqualTo("CN=quantadb-operator,OU=orders,O=quantadb-operator");
        assertThat(certificate.getExtendedKeyUsage()).containsExactly(CLIENT);
    }

    @Test
    void nothingOutlivesTheAuthority() {
        Credential late = new CertificateIssuer(
                        new SecureRandom(), InstantSource.fixed(NOW.plus(Duration.ofDays(3600))))
                .node(authority, "orders", "orders-0", List.of("orders-0"), Duration.ofDays(365));
        assertThat(late.certificate().getNotAfter())
                .isEqualTo(authority.certificate().getNotAfter());
    }

    @Test
    void surviveTheWayThroughTextAndTellNoKey() {
        assertThat(Credential.ofPem(Pem.of(authority.certificate()), Pem.of(authority.key())))
                .hasValueSatisfying(read -> {
                    assertThat(read.certificate()).isEqualTo(authority.certificate());
                    assertThat(read.key().getEncoded())
                            .isEqualTo(authority.key().getEncoded());
                });
        assertThat(Credential.ofPem("nonsense", "nonsense")).isEmpty();
        assertThat(authority.toString()).contains("O=orders").doesNotContain("PRIVATE");
    }
}
