package io.quantadb.operator.nodeapi;

/**
 * Where a node is, and who it must prove to be.
 *
 * @param node its id, which is its pod's name and its certificate's CN
 * @param host its pod's address
 */
public record NodeAddress(String node, String host, int port) {
    String url(String path) {
        return "https://%s:%d%s".formatted(host.contains(":") ? "[" + host + "]" : host, port, path);
    }
}
