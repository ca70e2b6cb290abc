package io.quantadb.operator.pki;

import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.x500.X500Name;
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
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/**
 * Issues certificates, EC P-256. The only class that names BouncyCastle.
 *
 * <pre>
 * cluster CA   O=cluster, CN=QuantaDB cluster CA    ten years, no path below
 * node         O=cluster, CN=node id                client and server use, names of the node and its Services
 * operator     OU=cluster, O=quantadb-operator      client use only; nodes refuse it between themselves
 * </pre>
 *
 * <p>Any thread.
 */
public final class CertificateIssuer {
    /** The organisation by which nodes know who may found a cluster. */
    public static final String OPERATOR_ORGANIZATION = "quantadb-operator";

    /** How long a CA is good. */
    public static final Duration AUTHORITY_VALIDITY = Duration.ofDays(3650);

    /** Machines' clocks differ a little; a certificate must hold on the one that is behind. */
    private static final Duration CLOCK_ALLOWANCE = Duration.ofMinutes(5);

    private final SecureRandom random;
    private final InstantSource clock;

    public CertificateIssuer(SecureRandom random, InstantSource clock) {
        this.random = random;
        this.clock = clock;
    }

    /** A new cluster CA. */
    public Credential authority(String cluster) {
        try {
            KeyPair pair = newKeyPair();
            X500Name name = new X500NameBuilder(BCStyle.INSTANCE)
                    .addRDN(BCStyle.O, cluster)
                    .addRDN(BCStyle.CN, "QuantaDB cluster CA")
                    .build();
            var builder = new JcaX509v3CertificateBuilder(
                    name, serial(), start(), end(AUTHORITY_VALIDITY), name, pair.getPublic());
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(0));
            builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
            builder.addExtension(
                    Extension.subjectKeyIdentifier,
                    false,
                    new JcaX509ExtensionUtils().createSubjectKeyIdentifier(pair.getPublic()));
            return sign(builder, pair, pair);
        } catch (GeneralSecurityException | IOException | OperatorCreationException e) {
            throw new IllegalStateException("the CA certificate cannot be made", e);
        }
    }

    /** A node's certificate, good for these DNS names. */
    public Credential node(Credential authority, String cluster, String node, List<String> names, Duration validity) {
        X500Name subject = new X500NameBuilder(BCStyle.INSTANCE)
                .addRDN(BCStyle.O, cluster)
                .addRDN(BCStyle.CN, node)
                .build();
        return leaf(
                authority,
                subject,
                Optional.of(names),
                validity,
                KeyPurposeId.id_kp_clientAuth,
                KeyPurposeId.id_kp_serverAuth);
    }

    /** What the operator shows to the nodes of one cluster. */
    public Credential operator(Credential authority, String cluster, Duration validity) {
        X500Name subject = new X500NameBuilder(BCStyle.INSTANCE)
                .addRDN(BCStyle.O, OPERATOR_ORGANIZATION)
                .addRDN(BCStyle.OU, cluster)
                .addRDN(BCStyle.CN, OPERATOR_ORGANIZATION)
                .build();
        return leaf(authority, subject, Optional.empty(), validity, KeyPurposeId.id_kp_clientAuth);
    }

    private Credential leaf(
            Credential authority,
            X500Name subject,
            Optional<List<String>> names,
            Duration validity,
            KeyPurposeId... purposes) {
        try {
            KeyPair pair = newKeyPair();
            Instant last = authority.certificate().getNotAfter().toInstant();
            Instant end = clock.instant().plus(validity);
            var builder = new JcaX509v3CertificateBuilder(
                    authority.certificate(),
                    serial(),
                    start(),
                    Date.from(end.isAfter(last) ? last : end),
                    new X500Principal(subject.getEncoded()),
                    pair.getPublic());
            var extensions = new JcaX509ExtensionUtils();
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
            builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
            builder.addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(purposes));
            builder.addExtension(
                    Extension.subjectKeyIdentifier, false, extensions.createSubjectKeyIdentifier(pair.getPublic()));
            builder.addExtension(
                    Extension.authorityKeyIdentifier,
                    false,
                    extensions.createAuthorityKeyIdentifier(
                            authority.certificate().getPublicKey()));
            if (names.isPresent()) {
                builder.addExtension(
                        Extension.subjectAlternativeName,
                        false,
                        new GeneralNames(names.get().stream()
                                .map(name -> new GeneralName(GeneralName.dNSName, name))
                                .toArray(GeneralName[]::new)));
            }
            return sign(builder, new KeyPair(authority.certificate().getPublicKey(), authority.key()), pair);
        } catch (GeneralSecurityException | IOException | OperatorCreationException e) {
            throw new IllegalStateException("the certificate of '%s' cannot be made".formatted(subject), e);
        }
    }

    private KeyPair newKeyPair() throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"), random);
        return generator.generateKeyPair();
    }

    private BigInteger serial() {
        return new BigInteger(127, random).setBit(126);
    }

    private Date start() {
        return Date.from(clock.instant().minus(CLOCK_ALLOWANCE));
    }

    private Date end(Duration validity) {
        return Date.from(clock.instant().plus(validity));
    }

    private static Credential sign(X509v3CertificateBuilder builder, KeyPair signing, KeyPair own)
            throws OperatorCreationException, GeneralSecurityException {
        var signer = new JcaContentSignerBuilder("SHA256withECDSA").build(signing.getPrivate());
        return new Credential(
                new JcaX509CertificateConverter().getCertificate(builder.build(signer)), own.getPrivate());
    }
}
