package io.quantadb.node.pki;

import io.quantadb.node.common.NodeException.LocalFault;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;

/**
 * A certificate for clients who know nothing of the cluster's CA: they check it against an authority of their own, so
 * nothing here does, and its subject need name no node. Loaded, checked, immutable.
 *
 * @param chain the certificate, then what lies between it and the authority that clients trust
 */
public record ShownCertificate(List<X509Certificate> chain, PrivateKey key) {
    private static final String CERT = "the certificate for SQL clients";
    private static final String KEY = "the private key for SQL clients";

    public ShownCertificate {
        chain = List.copyOf(chain);
    }

    /**
     * Reads and checks both files with the JDK alone.
     *
     * @throws LocalFault when a file is missing, unreadable or not PEM, the certificate is expired or not yet valid, or
     *     the key is of another certificate; the message says which file and what to do
     */
    public static ShownCertificate load(Path certFile, Path keyFile, Instant now) {
        List<X509Certificate> chain = PemFiles.certificates(certFile, CERT);
        X509Certificate own = chain.getFirst();
        NodeCredentials.requireValid(own, CERT + " " + certFile, "have a new one issued", now);
        PrivateKey key = PemFiles.privateKey(keyFile, KEY, own.getPublicKey().getAlgorithm());
        if (!NodeCredentials.matches(own.getPublicKey(), key)) {
            throw new LocalFault(
                    "%s %s does not belong to the first certificate in %s: put the pair that was issued together, the server's certificate before those of its authorities"
                            .formatted(KEY, keyFile, certFile));
        }
        return new ShownCertificate(chain, key);
    }

    @Override
    public String toString() {
        return "ShownCertificate[%s]".formatted(Subjects.describe(chain.getFirst()));
    }
}
