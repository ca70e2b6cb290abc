package io.quantadb.node.config;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * TLS towards SQL clients.
 *
 * @param certFile absolute PEM file shown to clients; null for the node's own certificate
 * @param keyFile absolute PEM file of its private key
 */
public record ClientTlsConfig(
        ClientTlsMode mode,
        @Nullable Path certFile,
        @Nullable Path keyFile) {
    public ClientTlsConfig {
        if ((certFile == null) != (keyFile == null)) {
            throw new IllegalArgumentException("client_tls.cert_file and client_tls.key_file must be set together");
        }
    }
}
