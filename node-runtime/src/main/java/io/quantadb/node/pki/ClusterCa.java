package io.quantadb.node.pki;

import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.common.NodeId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;

/**
 * The authority that says who belongs to a cluster. It lives in one directory (mode 0700):
 *
 * <pre>
 * ca.crt        certificate, for every node
 * ca.key        its key, mode 0600; stays where certificates are issued
 * NODE.crt      a node's certificate: CN = node id, O = cluster name, SAN = its names, client and server use
 * NODE.key      its key, mode 0600
 * NAME.crt/.key the same for an operator or viewer: CN = its name, O = the role, OU = cluster name, client use
 * </pre>
 *
 * <p>Keys are EC P-256, PKCS#8. Blocking (files, key generation); any thread, but one writer per directory.
 */
public final class ClusterCa {
    /** What {@code init} gives nodes unless told otherwise. */
    public static final Duration NODE_VALIDITY = Duration.ofDays(365);

    private static final Duration OWN_VALIDITY = Duration.ofDays(3650);
    private static final String CERTIFICATE = "ca.crt";
    private static final String KEY = "ca.key";

    private final Path directory;
    private final String cluster;
    private final X509Certificate certificate;
    private final PrivateKey key;
    private final InstantSource clock;

    private ClusterCa(
            Path directory, String cluster, X509Certificate certificate, PrivateKey key, InstantSource clock) {
        this.directory = directory;
        this.cluster = cluster;
        this.certificate = certificate;
        this.key = key;
        this.clock = clock;
    }

    /** Makes a new authority; refuses a directory that holds one, because its members would become strangers. */
    public static ClusterCa create(Path directory, String clusterName, InstantSource clock) {
        if (clusterName.isBlank() || clusterName.length() > 64) {
            throw new LocalFault("the cluster name '%s' is not valid: use 1 to 64 characters".formatted(clusterName));
        }
        if (ClusterRole.named(clusterName).isPresent()) {
            throw new LocalFault("the cluster name '%s' is that of a role: choose another".formatted(clusterName));
        }
        PemFiles.makePrivateDirectory(directory);
        if (exists(directory)) {
            throw new LocalFault(
                    "%s already holds a cluster CA: use it, or choose another directory; replacing it would turn every node that has a certificate of it into a stranger"
                            .formatted(directory));
        }
        return createAnyway(directory, clusterName, clock);
    }

    /** The same without the look; a half-made one (a key, no certificate) is overwritten. */
    static ClusterCa createAnyway(Path directory, String clusterName, InstantSource clock) {
        var issued = new CertificateIssuer(new SecureRandom()).authority(clusterName, clock.instant(), OWN_VALIDITY);
        // The key first: a certificate in place says that the authority is whole.
        PemFiles.writePrivateKey(directory.resolve(KEY), issued.key());
        PemFiles.writeCertificates(directory.resolve(CERTIFICATE), List.of(issued.certificate()));
        return new ClusterCa(directory, clusterName, issued.certificate(), issued.key(), clock);
    }

    static boolean exists(Path directory) {
        return Files.exists(directory.resolve(CERTIFICATE));
    }

    /** The name of the cluster whose authority lies in this directory; empty when none does. */
    public static Optional<String> nameIn(Path directory) {
        return exists(directory)
                ? Optional.of(name(directory.resolve(CERTIFICATE), authority(directory)))
                : Optional.empty();
    }

    /** For which names and addresses the certificate in this directory was issued; empty when there is none. */
    public static List<String> issuedNames(Path directory, NodeId node) {
        Path file = directory.resolve(node + ".crt");
        return Files.exists(file)
                ? Subjects.alternativeNames(PemFiles.certificates(file, "the certificate of node " + node)
                        .getFirst())
                : List.of();
    }

    private static X509Certificate authority(Path directory) {
        return PemFiles.certificates(directory.resolve(CERTIFICATE), "the cluster's CA certificate")
                .getFirst();
    }

    private static String name(Path file, X509Certificate certificate) {
        return Subjects.organization(certificate)
                .orElseThrow(() -> new LocalFault(
                        "the cluster's CA certificate %s names no cluster: its subject needs one O".formatted(file)));
    }

    /** Opens an authority made before; {@link LocalFault} when a file is missing, damaged or expired. */
    public static ClusterCa open(Path directory, InstantSource clock) {
        Path file = directory.resolve(CERTIFICATE);
        X509Certificate certificate = authority(directory);
        Instant end = certificate.getNotAfter().toInstant();
        if (clock.instant().isAfter(end)) {
            throw new LocalFault("the cluster's CA certificate %s expired at %s: make a new CA with 'quantadb init'"
                    .formatted(file, end));
        }
        PrivateKey key = PemFiles.privateKey(
                directory.resolve(KEY),
                "the cluster's CA key",
                certificate.getPublicKey().getAlgorithm());
        return new ClusterCa(directory, name(file, certificate), certificate, key, clock);
    }

    public String clusterName() {
        return cluster;
    }

    /** The certificate that every node needs. */
    public Path certificateFile() {
        return directory.resolve(CERTIFICATE);
    }

    /**
     * Issues, or issues anew, a node's certificate beside the authority's.
     *
     * @param names DNS names and literal addresses under which clients reach the node; the node id is added
     */
    public TlsFiles issueNode(NodeId node, List<String> names, Duration validity) {
        return issueNode(directory, node, names, validity);
    }

    /** The same into a directory of its own (0700), with a copy of {@code ca.crt}: what one node is to be given. */
    public TlsFiles issueNode(Path target, NodeId node, List<String> names, Duration validity) {
        if (node.value().equals("ca")) {
            throw new LocalFault(
                    "node id 'ca' cannot have a certificate, its files would be those of the CA: rename it");
        }
        PemFiles.makePrivateDirectory(target);
        var all = new LinkedHashSet<String>(names);
        all.add(node.value());
        var issued = new CertificateIssuer(new SecureRandom())
                .node(
                        new CertificateIssuer.Issued(certificate, key),
                        cluster,
                        node,
                        List.copyOf(all),
                        clock.instant(),
                        validity);
        Path ca = target.resolve(CERTIFICATE);
        if (!target.equals(directory)) {
            PemFiles.writeCertificates(ca, List.of(certificate));
        }
        Path keyFile = target.resolve(node + ".key");
        Path certFile = target.resolve(node + ".crt");
        PemFiles.writePrivateKey(keyFile, issued.key());
        PemFiles.writeCertificates(certFile, List.of(issued.certificate()));
        return new TlsFiles(ca, certFile, keyFile);
    }

    /** Issues a certificate beside the authority's for somebody who is no node; {@code bearer} is a name like a node's. */
    public TlsFiles issueRole(ClusterRole role, NodeId bearer, Duration validity) {
        if (bearer.value().equals("ca")) {
            throw new LocalFault("'ca' cannot have a certificate, its files would be those of the CA: rename it");
        }
        var issued = new CertificateIssuer(new SecureRandom())
                .role(
                        new CertificateIssuer.Issued(certificate, key),
                        cluster,
                        role,
                        bearer.value(),
                        clock.instant(),
                        validity);
        Path keyFile = directory.resolve(bearer + ".key");
        Path certFile = directory.resolve(bearer + ".crt");
        PemFiles.writePrivateKey(keyFile, issued.key());
        PemFiles.writeCertificates(certFile, List.of(issued.certificate()));
        return new TlsFiles(certificateFile(), certFile, keyFile);
    }
}
