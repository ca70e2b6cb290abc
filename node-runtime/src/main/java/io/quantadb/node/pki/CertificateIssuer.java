package io.quantadb.node.pki;

import static io.quantadb.node.pki.DerWriter.bits;
import static io.quantadb.node.pki.DerWriter.explicit;
import static io.quantadb.node.pki.DerWriter.implicit;
import static io.quantadb.node.pki.DerWriter.implicitAscii;
import static io.quantadb.node.pki.DerWriter.integer;
import static io.quantadb.node.pki.DerWriter.namedBits;
import static io.quantadb.node.pki.DerWriter.objectId;
import static io.quantadb.node.pki.DerWriter.octets;
import static io.quantadb.node.pki.DerWriter.sequence;
import static io.quantadb.node.pki.DerWriter.setOf;
import static io.quantadb.node.pki.DerWriter.time;
import static io.quantadb.node.pki.DerWriter.utf8;
import static io.quantadb.node.pki.DerWriter.yes;

import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.common.NodeId;
import java.io.ByteArrayInputStream;
import java.math.BigInteger;
import java.net.InetAddress;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Builds the three kinds of X.509 certificate that a cluster has (RFC 5280), all for EC P-256 keys: an authority, a
 * node, and somebody who only calls. Keys, signatures and the check of what was made are the JDK's; only the envelope
 * is written here, because the JDK cannot and a library for it costs a running agent several MiB (docs/adr/0016).
 *
 * <p>Any thread.
 */
final class CertificateIssuer {
    /** Machines' clocks differ a little; a certificate must hold on the one that is behind. */
    private static final Duration CLOCK_ALLOWANCE = Duration.ofMinutes(5);

    private static final String SIGNATURE = "SHA256withECDSA";
    private static final byte[] SIGNATURE_ALGORITHM = sequence(objectId("1.2.840.10045.4.3.2"));
    private static final byte[] VERSION_3 = explicit(0, integer(BigInteger.TWO));

    private static final String COMMON_NAME = "2.5.4.3";
    private static final String ORGANIZATION = "2.5.4.10";
    private static final String ORGANIZATIONAL_UNIT = "2.5.4.11";

    private static final String SUBJECT_KEY_IDENTIFIER = "2.5.29.14";
    private static final String KEY_USAGE = "2.5.29.15";
    private static final String SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";
    private static final String BASIC_CONSTRAINTS = "2.5.29.19";
    private static final String AUTHORITY_KEY_IDENTIFIER = "2.5.29.35";
    private static final String EXTENDED_KEY_USAGE = "2.5.29.37";

    private static final byte[] SERVER_USE = objectId("1.3.6.1.5.5.7.3.1");
    private static final byte[] CLIENT_USE = objectId("1.3.6.1.5.5.7.3.2");

    private static final int DIGITAL_SIGNATURE = 0;
    private static final int KEY_CERT_SIGN = 5;
    private static final int CRL_SIGN = 6;

    /** The choices of GeneralName that are used. */
    private static final int DNS_NAME = 2;

    private static final int IP_ADDRESS = 7;

    private final SecureRandom random;

    CertificateIssuer(SecureRandom random) {
        this.random = random;
    }

    /** A certificate and its key. */
    record Issued(X509Certificate certificate, PrivateKey key) {}

    /** Who signs: the subject as its own certificate encodes it, and both keys. */
    private record Signer(byte[] name, PublicKey open, PrivateKey secret) {}

    Issued authority(String cluster, Instant now, Duration validity) {
        byte[] name = name(part(ORGANIZATION, cluster), part(COMMON_NAME, "QuantaDB cluster CA"));
        try {
            KeyPair pair = newKeyPair();
            var extensions = List.of(
                    critical(BASIC_CONSTRAINTS, sequence(yes(), integer(BigInteger.ZERO))),
                    critical(KEY_USAGE, namedBits(KEY_CERT_SIGN, CRL_SIGN)),
                    extension(SUBJECT_KEY_IDENTIFIER, octets(keyIdentifier(pair.getPublic()))));
            return issue(
                    new Signer(name, pair.getPublic(), pair.getPrivate()),
                    name,
                    pair,
                    now,
                    now.plus(validity),
                    extensions);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("the CA certificate cannot be made", e);
        }
    }

    /** {@code names} are DNS names and literal addresses; the end lies no later than the authority's. */
    Issued node(Issued authority, String cluster, NodeId node, List<String> names, Instant now, Duration validity) {
        byte[] subject = name(part(ORGANIZATION, cluster), part(COMMON_NAME, node.value()));
        return leaf(authority, subject, node.value(), names, now, validity);
    }

    /** For somebody who is no node: {@link ClusterRole} in the cluster of this name. */
    Issued role(Issued authority, String cluster, ClusterRole role, String bearer, Instant now, Duration validity) {
        byte[] subject = name(
                part(ORGANIZATION, role.organization()), part(ORGANIZATIONAL_UNIT, cluster), part(COMMON_NAME, bearer));
        return leaf(authority, subject, bearer, List.of(), now, validity);
    }

    /** Without names it is for a client alone. */
    private Issued leaf(
            Issued authority, byte[] subject, String who, List<String> names, Instant now, Duration validity) {
        try {
            KeyPair pair = newKeyPair();
            Instant end = now.plus(validity);
            Instant last = authority.certificate().getNotAfter().toInstant();
            PublicKey above = authority.certificate().getPublicKey();
            var extensions = new ArrayList<byte[]>();
            extensions.add(critical(BASIC_CONSTRAINTS, sequence()));
            extensions.add(critical(KEY_USAGE, namedBits(DIGITAL_SIGNATURE)));
            extensions.add(extension(
                    EXTENDED_KEY_USAGE, names.isEmpty() ? sequence(CLIENT_USE) : sequence(CLIENT_USE, SERVER_USE)));
            extensions.add(extension(SUBJECT_KEY_IDENTIFIER, octets(keyIdentifier(pair.getPublic()))));
            extensions.add(extension(AUTHORITY_KEY_IDENTIFIER, sequence(implicit(0, keyIdentifier(above)))));
            if (!names.isEmpty()) {
                extensions.add(extension(
                        SUBJECT_ALTERNATIVE_NAME,
                        sequence(names.stream()
                                .map(CertificateIssuer::generalName)
                                .toList())));
            }
            byte[] issuer = authority.certificate().getSubjectX500Principal().getEncoded();
            return issue(
                    new Signer(issuer, above, authority.key()),
                    subject,
                    pair,
                    now,
                    end.isAfter(last) ? last : end,
                    extensions);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("the certificate of '%s' cannot be made".formatted(who), e);
        }
    }

    private Issued issue(Signer signer, byte[] subject, KeyPair pair, Instant now, Instant end, List<byte[]> extensions)
            throws GeneralSecurityException {
        byte[] signed = sequence(
                VERSION_3,
                integer(serial()),
                SIGNATURE_ALGORITHM,
                signer.name(),
                sequence(time(now.minus(CLOCK_ALLOWANCE)), time(end)),
                subject,
                pair.getPublic().getEncoded(),
                explicit(3, sequence(extensions)));
        Signature signature = Signature.getInstance(SIGNATURE);
        signature.initSign(signer.secret(), random);
        signature.update(signed);
        byte[] whole = sequence(signed, SIGNATURE_ALGORITHM, bits(signature.sign()));
        var certificate = (X509Certificate)
                CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(whole));
        // A key that is not the authority's would be noticed only when a node is refused.
        certificate.verify(signer.open());
        return new Issued(certificate, pair.getPrivate());
    }

    /** A subject of these parts, in this order. */
    private static byte[] name(byte[]... parts) {
        return sequence(parts);
    }

    private static byte[] part(String type, String value) {
        return setOf(sequence(objectId(type), utf8(value)));
    }

    private static byte[] critical(String id, byte[] value) {
        return sequence(objectId(id), yes(), octets(value));
    }

    private static byte[] extension(String id, byte[] value) {
        return sequence(objectId(id), octets(value));
    }

    private static byte[] generalName(String name) {
        try {
            return isAddress(name)
                    ? implicit(IP_ADDRESS, InetAddress.ofLiteral(name).getAddress())
                    : implicitAscii(DNS_NAME, name);
        } catch (IllegalArgumentException e) {
            throw new LocalFault(
                    "'%s' is neither an address nor a DNS name in ASCII, so no certificate can carry it: correct it"
                            .formatted(name),
                    e);
        }
    }

    private static boolean isAddress(String name) {
        return name.indexOf(':') >= 0 || name.matches("\\d{1,3}(\\.\\d{1,3}){3}");
    }

    private KeyPair newKeyPair() throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"), random);
        return generator.generateKeyPair();
    }

    private BigInteger serial() {
        return new BigInteger(127, random).setBit(126);
    }

    /** RFC 5280 §4.2.1.2, method 1: SHA-1 of the key's own bits. It tells keys apart and protects nothing. */
    private static byte[] keyIdentifier(PublicKey key) throws GeneralSecurityException {
        if (!(key instanceof ECPublicKey ec)) {
            throw new InvalidKeyException("the authority's key is %s, not EC".formatted(key.getAlgorithm()));
        }
        // The point, 04 x y, ends the key's encoding.
        int coordinate = (ec.getParams().getCurve().getField().getFieldSize() + 7) / 8;
        byte[] encoded = key.getEncoded();
        return MessageDigest.getInstance("SHA-1")
                .digest(Arrays.copyOfRange(encoded, encoded.length - 1 - 2 * coordinate, encoded.length));
    }
}
