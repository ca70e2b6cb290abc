package io.quantadb.node.config;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Where this node finds its certificate. Either all three files are named, or the folder that {@code quantadb init}
 * made, or nothing: then, and on loopback addresses only, a development CA is used.
 *
 * @param dir absolute folder with {@code ca.crt}, {@code <node id>.crt} and {@code <node id>.key}; null when not set
 * @param caFile absolute PEM file of the CAs whose members are trusted
 * @param certFile absolute PEM file of this node's certificate, whose common name is the node id
 * @param keyFile absolute PEM file of its private key, readable by its owner alone
 */
public record TlsConfig(
        @Nullable Path dir,
        @Nullable Path caFile,
        @Nullable Path certFile,
        @Nullable Path keyFile) {
    public TlsConfig {
        boolean any = caFile != null || certFile != null || keyFile != null;
        boolean all = caFile != null && certFile != null && keyFile != null;
        if (any && !all) {
            throw new IllegalArgumentException(
                    "tls.ca_file, tls.cert_file and tls.key_file must be set together, or tls.dir instead of them");
        }
    }

    /** Whether certificates were given at all; if not, a development CA may be used on loopback. */
    public boolean given() {
        return caFile != null;
    }
}
