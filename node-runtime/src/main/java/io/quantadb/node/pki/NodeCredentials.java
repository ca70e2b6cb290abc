package io.quantadb.node.pki;

import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.common.NodeId;
import java.security.GeneralSecurityException;
import java.security.InvalidAlgorithmParameterException;
import java.security.NoSuchAlgorithmException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a node proves itself with and what it trusts: loaded, checked, immutable.
 *
 * @param node the CN of the certificate
 * @param cluster the O of the certificate; empty when the authority that was brought along sets none
 * @param authorities the certificates of {@code ca.crt}
 * @param chain the node's certificate, then what lies between it and the authority
 */
public record NodeCredentials(
        NodeId node,
        Optional<String> cluster,
        List<X509Certificate> authorities,
        List<X509Certificate> chain,
        PrivateKey key) {

    private static final String CA = "the cluster's CA certificate";
    private static final String CERT = "the node's certificate";
    private static final String KEY = "the node's private key";

    public NodeCredentials {
        authorities = List.copyOf(authorities);
        chain = List.copyOf(chain);
    }

    /** The end of the node's certificate. */
    public Instant expires() {
        return chain.getFirst().getNotAfter().toInstant();
    }

    /** How long its certificate is good, and those of the authorities; {@code files} is where they were read. */
    public List<Validity> validities(TlsFiles files) {
        return Stream.concat(
                        Stream.of(Validity.of(CERT, files.cert(), chain.getFirst())),
                        authorities.stream().map(authority -> Validity.of(CA, files.ca(), authority)))
                .toList();
    }

    /**
     * Reads and checks the three files with the JDK alone.
     *
     * @throws LocalFault when a file is missing, unreadable or not PEM, a certificate is expired or not yet valid, the
     *     certificate is not the node's or not signed by the CA, or the key is of another certificate; the message says
     *     which file and what to do
     */
    public static NodeCredentials load(TlsFiles files, NodeId self, Instant now) {
        NodeCredentials loaded = load(files, now);
        if (!loaded.node.equals(self)) {
            throw new LocalFault(
                    "%s %s is that of node '%s', and this node is '%s': use the certificate issued for '%s'"
                            .formatted(CERT, files.cert(), loaded.node, self, self));
        }
        return loaded;
    }

    /** The same for whichever node the certificate names. */
    public static NodeCredentials load(TlsFiles files, Instant now) {
        List<X509Certificate> authorities = PemFiles.certificates(files.ca(), CA);
        List<X509Certificate> chain = PemFiles.certificates(files.cert(), CERT);
        X509Certificate own = chain.getFirst();
        for (X509Certificate authority : authorities) {
            requireValid(authority, CA + " " + files.ca(), "replace the CA with 'quantadb init'", now);
        }
        requireValid(own, CERT + " " + files.cert(), "issue a new one with the cluster's CA", now);
        requireSigned(files, authorities, chain, now);
        PrivateKey key =
                PemFiles.privateKey(files.key(), KEY, own.getPublicKey().getAlgorithm());
        if (!matches(own.getPublicKey(), key)) {
            throw new LocalFault(
                    "%s %s does not belong to the certificate %s: put the pair that was issued together, or issue both anew"
                            .formatted(KEY, files.key(), files.cert()));
        }
        NodeId node = Subjects.commonName(own)
                .flatMap(NodeCredentials::nodeId)
                .orElseThrow(() ->
                        new LocalFault("%s %s names no node: its subject is '%s' and needs one CN that is the node id"
                                .formatted(CERT, files.cert(), Subjects.describe(own))));
        return new NodeCredentials(node, Subjects.organization(own), authorities, chain, key);
    }

    private static Optional<NodeId> nodeId(String text) {
        try {
            return Optional.of(new NodeId(text));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    static void requireValid(X509Certificate certificate, String what, String remedy, Instant now) {
        Instant from = certificate.getNotBefore().toInstant();
        Instant until = certificate.getNotAfter().toInstant();
        if (now.isAfter(until)) {
            throw new LocalFault("%s expired at %s (now %s): %s".formatted(what, until, seconds(now), remedy));
        }
        if (now.isBefore(from)) {
            throw new LocalFault("%s is not valid before %s (now %s): set this machine's clock, or %s"
                    .formatted(what, from, seconds(now), remedy));
        }
    }

    private static Instant seconds(Instant now) {
        return now.truncatedTo(ChronoUnit.SECONDS);
    }

    private static void requireSigned(
            TlsFiles files, List<X509Certificate> authorities, List<X509Certificate> chain, Instant now) {
        try {
            var anchors = authorities.stream()
                    .map(authority -> new TrustAnchor(authority, null))
                    .collect(Collectors.toSet());
            var parameters = new PKIXParameters(anchors);
            parameters.setRevocationEnabled(false);
            parameters.setDate(Date.from(now));
            CertPathValidator.getInstance("PKIX")
                    .validate(CertificateFactory.getInstance("X.509").generateCertPath(chain), parameters);
        } catch (CertPathValidatorException e) {
            throw new LocalFault(
                    "%s %s was not signed by the CA in %s: use the CA file of the same cluster, or issue the certificate with this CA (%s)"
                            .formatted(CERT, files.cert(), files.ca(), e.getMessage()),
                    e);
        } catch (InvalidAlgorithmParameterException | NoSuchAlgorithmException | CertificateException e) {
            throw new IllegalStateException("this Java cannot check certificate chains", e);
        }
    }

    /** Whether the private key is that of the public one: what it signs must verify. */
    static boolean matches(PublicKey open, PrivateKey secret) {
        String algorithm = switch (open.getAlgorithm()) {
            case "EC" -> "SHA256withECDSA";
            case "RSA" -> "SHA256withRSA";
            default -> open.getAlgorithm();
        };
        byte[] probe = {1, 2, 3, 4};
        try {
            Signature signer = Signature.getInstance(algorithm);
            signer.initSign(secret);
            signer.update(probe);
            byte[] signed = signer.sign();
            Signature verifier = Signature.getInstance(algorithm);
            verifier.initVerify(open);
            verifier.update(probe);
            return verifier.verify(signed);
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    @Override
    public String toString() {
        return "NodeCredentials[node=%s, cluster=%s, expires=%s]".formatted(node, cluster.orElse("-"), expires());
    }
}
