package io.quantadb.node.pki;

import java.nio.file.Path;

/**
 * Where a node's identity lies, all PEM: the cluster's authority (one certificate or several, while it is being
 * changed), the node's certificate (its chain after it, if any), and the node's private key in PKCS#8.
 */
public record TlsFiles(Path ca, Path cert, Path key) {}
