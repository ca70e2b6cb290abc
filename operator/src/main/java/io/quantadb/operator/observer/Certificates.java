package io.quantadb.operator.observer;

import io.fabric8.kubernetes.api.model.Secret;
import io.quantadb.operator.model.ObservedCluster.Certificate;
import io.quantadb.operator.pki.Credential;
import io.quantadb.operator.pki.Pem;
import io.quantadb.operator.resource.SecretShapes;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Reads the nodes' certificates. */
final class Certificates {
    private static final String ENDING = ".crt";

    private Certificates() {}

    /** By pod; one that cannot be read, or whose key is not there, counts as missing. */
    static Map<String, Certificate> read(Optional<Secret> secret, Credential authority) {
        var found = new HashMap<String, Certificate>();
        secret.ifPresent(present -> Optional.ofNullable(present.getData()).orElse(Map.of()).keySet().stream()
                .filter(key -> key.endsWith(ENDING) && !key.equals("ca.crt"))
                .forEach(key -> {
                    String pod = key.substring(0, key.length() - ENDING.length());
                    boolean keyed = SecretShapes.text(present, pod + ".key")
                            .flatMap(Pem::key)
                            .isPresent();
                    if (keyed) {
                        SecretShapes.text(present, key)
                                .flatMap(Pem::certificate)
                                .ifPresent(c -> found.put(pod, facts(c, authority)));
                    }
                }));
        return found;
    }

    private static Certificate facts(X509Certificate certificate, Credential authority) {
        return new Certificate(
                certificate.getNotBefore().toInstant(),
                certificate.getNotAfter().toInstant(),
                names(certificate),
                authority.signed(certificate));
    }

    private static Set<String> names(X509Certificate certificate) {
        try {
            Collection<List<?>> names = Objects.requireNonNullElse(certificate.getSubjectAlternativeNames(), List.of());
            return names.stream().map(name -> String.valueOf(name.get(1))).collect(Collectors.toSet());
        } catch (CertificateParsingException e) {
            return Set.of();
        }
    }
}
