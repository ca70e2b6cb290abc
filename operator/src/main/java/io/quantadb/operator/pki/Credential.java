package io.quantadb.operator.pki;

import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.Optional;

/** A certificate and its key. Says nothing of the key when printed. */
public record Credential(X509Certificate certificate, PrivateKey key) {
    /** Reads both from PEM; empty when either cannot be read. */
    public static Optional<Credential> ofPem(String certificate, String key) {
        return Pem.certificate(certificate).flatMap(c -> Pem.key(key).map(k -> new Credential(c, k)));
    }

    /** Whether this credential's key signed the other certificate. */
    public boolean signed(X509Certificate other) {
        try {
            other.verify(certificate.getPublicKey());
            return other.getIssuerX500Principal().equals(certificate.getSubjectX500Principal());
        } catch (java.security.GeneralSecurityException e) {
            return false;
        }
    }

    @Override
    public String toString() {
        return "Credential[%s, until %s]"
                .formatted(
                        certificate.getSubjectX500Principal(),
                        certificate.getNotAfter().toInstant());
    }
}
