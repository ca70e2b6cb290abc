package io.quantadb.node.config;

import io.quantadb.node.common.HostPort;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * Everything that one node is told at start. Paths are absolute: relative ones were taken from the working directory.
 *
 * @param host where the node listens: a name, an address, or 0.0.0.0
 * @param advertisedHost under which name or address the others reach it
 * @param dataDir absolute folder of the node; PostgreSQL's own data directory lies in it
 * @param runDir absolute folder of what is of no use once the node has stopped: sockets, its process number, its token
 */
public record NodeConfig(
        String host,
        String advertisedHost,
        Ports ports,
        Path dataDir,
        Path runDir,
        LogLevel logLevel,
        ClusterConfig cluster,
        BootstrapConfig bootstrap,
        PostgresConfig postgres,
        TlsConfig tls,
        ClientTlsConfig clientTls) {
    public NodeConfig {
        if (host.isBlank()) {
            throw new IllegalArgumentException("host must not be empty");
        }
        if (advertisedHost.isBlank()) {
            throw new IllegalArgumentException("advertised_host must not be empty");
        }
        if (cluster.mode() != NodeMode.NONE && isWildcard(advertisedHost)) {
            throw new IllegalArgumentException(
                    "advertised_host=%s must be a name or address that the other nodes can dial; give --advertised-host"
                            .formatted(advertisedHost));
        }
    }

    /** PostgreSQL's data directory. */
    public Path postgresDataDir() {
        return dataDir.resolve("postgres");
    }

    public HostPort advertised(int port) {
        return new HostPort(advertisedHost, port);
    }

    /** The listed peers without this node's own address. */
    public List<HostPort> otherPeers() {
        HostPort own = advertised(ports.replication());
        return cluster.peers().stream()
                .filter(peer -> peer.port() != own.port() || !peer.host().equalsIgnoreCase(own.host()))
                .distinct()
                .toList();
    }

    /** Whether this node listens and is reached on this machine alone. */
    public boolean loopbackOnly() {
        return isLoopback(host) && isLoopback(advertisedHost);
    }

    /** Whether an address means this machine alone, without asking any name service. */
    public static boolean isLoopback(String host) {
        String name = host.toLowerCase(Locale.ROOT);
        return name.equals("localhost") || name.equals("::1") || name.matches("127\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}");
    }

    static boolean isWildcard(String host) {
        return host.equals("0.0.0.0") || host.equals("::") || host.equals("*");
    }
}
