package io.quantadb.node.pki;

import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Instant;

/**
 * How long a certificate in use is good.
 *
 * @param what how messages call it
 * @param file where it was read
 */
public record Validity(String what, Path file, Instant from, Instant until) {
    public static Validity of(String what, Path file, X509Certificate certificate) {
        return new Validity(
                what,
                file,
                certificate.getNotBefore().toInstant(),
                certificate.getNotAfter().toInstant());
    }
}
