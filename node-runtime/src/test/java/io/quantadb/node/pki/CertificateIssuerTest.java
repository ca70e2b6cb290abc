package io.quantadb.node.pki;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.common.NodeId;
import java.math.BigInteger;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.stream.IntStream;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is signed is, byte for byte, what BouncyCastle makes of the same facts. */
class CertificateIssuerTest {
    private static final Instant NOW = Instant.parse("2026-05-01T12:00:00Z");
    private static final Duration YEAR = Duration.ofDays(365);
    private static final NodeId NODE = new NodeId("node1");

    private final CertificateIssuer issuer = new CertificateIssuer(new SecureRandom());

    @ParameterizedTest
    @ValueSource(strings = {"shop", "Läden für Zwölf ☂"})
    void anAuthorityIsEncodedAsTheLibraryWould(String cluster) throws Exception {
        // When
        var made = issuer.authority(cluster, NOW, YEAR);
        // Then
        var name = new X500NameBuilder(BCStyle.INSTANCE)
                .addRDN(BCStyle.O, cluster)
                .addRDN(BCStyle.CN, "QuantaDB cluster CA")
                .build();
        var expected = new JcaX509v3CertificateBuilder(
                name,
                made.certificate().getSerialNumber(),
                Date.from(NOW.minusSeconds(300)),
                Date.from(NOW.plus(YEAR)),
                name,
                made.certificate().getPublicKey());
        expected.addExtension(Extension.basicConstraints, true, new BasicConstraints(0));
        expected.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
        expected.addExtension(
                Extension.subjectKeyIdentifier,
                false,
                new JcaX509ExtensionUtils()
                        .createSubjectKeyIdentifier(made.certificate().getPublicKey()));
        assertThat(made.certificate().getTBSCertificate()).isEqualTo(signedPart(expected, made));
        assertThat(made.certificate().getBasicConstraints()).isZero();
    }

    @Test
    void aNodeIsEncodedAsTheLibraryWould() throws Exception {
        // Given
        var authority = issuer.authority("shop", NOW, YEAR);
        List<String> names = List.of("db1.example.org", "10.0.0.7", "::1", "2001:db8::a:0:7");
        // When
        var made = issuer.node(authority, "shop", NODE, names, NOW, Duration.ofDays(10));
        // Then
        var expected = leaf(authority, made.certificate(), "O=shop,CN=node1", NOW.plus(Duration.ofDays(10)), true);
        expected.addExtension(Extension.subjectAlternativeName, false, alternativeNames(names));
        assertThat(made.certificate().getTBSCertificate()).isEqualTo(signedPart(expected, authority));
    }

    @ParameterizedTest
    @ValueSource(ints = {7, 8, 15, 16, 3855, 3856})
    void anyNumberOfNamesIsEncodedAsTheLibraryWould(int count) throws Exception {
        // Given: 17 bytes each, so that the list has 119 or 136, 255 or 272, 65535 or 65552, on both sides of a longer
        // length
        var authority = issuer.authority("shop", NOW, YEAR);
        List<String> names =
                IntStream.range(0, count).mapToObj("db%05d.example"::formatted).toList();
        // When
        var made = issuer.node(authority, "shop", NODE, names, NOW, YEAR);
        // Then
        var expected = leaf(authority, made.certificate(), "O=shop,CN=node1", NOW.plus(YEAR), true);
        expected.addExtension(Extension.subjectAlternativeName, false, alternativeNames(names));
        assertThat(made.certificate().getTBSCertificate()).isEqualTo(signedPart(expected, authority));
    }

    @Test
    void aCallerIsEncodedAsTheLibraryWouldAndIsForAClientAlone() throws Exception {
        // Given
        var authority = issuer.authority("shop", NOW, YEAR);
        // When
        var made = issuer.role(authority, "shop", ClusterRole.VIEWER, "eve", NOW, Duration.ofDays(10));
        // Then
        String subject = "O=%s,OU=shop,CN=eve".formatted(ClusterRole.VIEWER.organization());
        var expected = leaf(authority, made.certificate(), subject, NOW.plus(Duration.ofDays(10)), false);
        assertThat(made.certificate().getTBSCertificate()).isEqualTo(signedPart(expected, authority));
        assertThat(made.certificate().getExtendedKeyUsage()).containsExactly("1.3.6.1.5.5.7.3.2");
    }

    /** RFC 5280 §4.1.2.5: two digits of the year until 2049, four from 2050 on. */
    @ParameterizedTest
    @ValueSource(
            strings = {"1949-12-31T23:59:59Z", "1950-01-01T00:00:00Z", "2049-12-31T23:59:59Z", "2050-01-01T00:00:00Z"})
    void aTimeIsEncodedAsTheLibraryWouldOnBothSidesOfEachBound(String time) throws Exception {
        Instant at = Instant.parse(time);
        assertThat(DerWriter.time(at))
                .isEqualTo(new org.bouncycastle.asn1.x509.Time(Date.from(at)).getEncoded(ASN1Encoding.DER));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "2.5.29.17",
                "1.2.840.10045.4.3.2",
                "2.100.3",
                "0.9.127.128.16383.16384.2097151.2097152",
                "1.3.0.2147483647"
            })
    void anIdentifierIsEncodedAsTheLibraryWould(String dotted) throws Exception {
        assertThat(DerWriter.objectId(dotted))
                .isEqualTo(new org.bouncycastle.asn1.ASN1ObjectIdentifier(dotted).getEncoded(ASN1Encoding.DER));
    }

    @Test
    void refusesANameThatNoCertificateCanCarry() {
        var authority = issuer.authority("shop", NOW, YEAR);
        for (String name : List.of("bücher.example", "999.1.1.1", "::zz")) {
            assertThatThrownBy(() -> issuer.node(authority, "shop", NODE, List.of(name), NOW, YEAR))
                    .isInstanceOf(LocalFault.class)
                    .hasMessageContaining("'%s' is neither an address nor a DNS name in ASCII".formatted(name));
        }
    }

    @Test
    void refusesToSignWithAKeyThatIsNotTheAuthoritys() {
        // Given
        var authority = issuer.authority("shop", NOW, YEAR);
        var mixed = new CertificateIssuer.Issued(
                authority.certificate(), issuer.authority("shop", NOW, YEAR).key());
        // When, Then
        assertThatThrownBy(() -> issuer.node(mixed, "shop", NODE, List.of("db1"), NOW, YEAR))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("the certificate of 'node1' cannot be made");
    }

    @Test
    void everySerialNumberIsPositiveAndItsOwn() {
        List<BigInteger> serials = IntStream.range(0, 8)
                .mapToObj(_ -> issuer.authority("shop", NOW, YEAR).certificate().getSerialNumber())
                .toList();
        assertThat(serials).doesNotHaveDuplicates().allMatch(serial -> serial.bitLength() == 127);
    }

    private static X509v3CertificateBuilder leaf(
            CertificateIssuer.Issued authority, X509Certificate made, String subject, Instant end, boolean server)
            throws Exception {
        var name = new X500NameBuilder(BCStyle.INSTANCE);
        for (String part : subject.split(",")) {
            String[] typeAndValue = part.split("=");
            name.addRDN(BCStyle.INSTANCE.attrNameToOID(typeAndValue[0]), typeAndValue[1]);
        }
        PublicKey above = authority.certificate().getPublicKey();
        var extensions = new JcaX509ExtensionUtils();
        var expected = new JcaX509v3CertificateBuilder(
                authority.certificate(),
                made.getSerialNumber(),
                Date.from(NOW.minusSeconds(300)),
                Date.from(end),
                new X500Principal(name.build().getEncoded()),
                made.getPublicKey());
        expected.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
        expected.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
        expected.addExtension(
                Extension.extendedKeyUsage,
                false,
                new ExtendedKeyUsage(
                        server
                                ? new KeyPurposeId[] {KeyPurposeId.id_kp_clientAuth, KeyPurposeId.id_kp_serverAuth}
                                : new KeyPurposeId[] {KeyPurposeId.id_kp_clientAuth}));
        expected.addExtension(
                Extension.subjectKeyIdentifier, false, extensions.createSubjectKeyIdentifier(made.getPublicKey()));
        expected.addExtension(Extension.authorityKeyIdentifier, false, extensions.createAuthorityKeyIdentifier(above));
        return expected;
    }

    private static GeneralNames alternativeNames(List<String> names) {
        return new GeneralNames(names.stream()
                .map(name -> new GeneralName(
                        name.matches("[0-9.]+|.*:.*") ? GeneralName.iPAddress : GeneralName.dNSName, name))
                .toArray(GeneralName[]::new));
    }

    private static byte[] signedPart(X509v3CertificateBuilder builder, CertificateIssuer.Issued signer)
            throws Exception {
        return builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(signer.key()))
                .toASN1Structure()
                .getTBSCertificate()
                .getEncoded(ASN1Encoding.DER);
    }
}
