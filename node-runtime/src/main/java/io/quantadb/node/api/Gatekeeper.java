package io.quantadb.node.api;

import java.security.cert.X509Certificate;
import org.jspecify.annotations.Nullable;

/** Tells who a caller is; asked at every request, on the API's thread, must not wait. */
@FunctionalInterface
public interface Gatekeeper {
    /**
     * @param certificate what the caller showed and the TLS handshake checked against the cluster's CA; null for none
     * @param authorization the request's {@code Authorization} header; null for none
     */
    Caller identify(@Nullable X509Certificate certificate, @Nullable String authorization);

    /** Lets everybody read and nobody change anything. */
    static Gatekeeper readOnly() {
        return (certificate, authorization) -> new Caller("", Caller.Role.VIEWER);
    }
}
