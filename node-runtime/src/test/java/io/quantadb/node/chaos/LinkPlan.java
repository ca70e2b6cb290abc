package io.quantadb.node.chaos;

import io.quantadb.node.config.Ports;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * How every connection between nodes comes to lead through the proxy, on loopback addresses and without root. Each node
 * listens on an address of its own and is known to the others by a name. Each node's Java is given a file of names of its
 * own ({@code jdk.net.hosts.file}), in which the names of the others stand for addresses of the proxy, one for each
 * ordered pair:
 *
 * <pre>
 * node d, by name          proxy                          node a
 * "node2.chaos"  ──►  127.77.2.(100+d) : its ports  ──►  127.77.2.1 : the same ports
 *                          and from there with the source address 127.77.d.(100+a),
 *                          which is where a reaches d: an agent that dials back to where a call came from stays inside
 * </pre>
 *
 * Clients and the audit go to the nodes' own addresses, past the proxy.
 *
 * @param net the second number of all these addresses, so that two runs can stand beside each other
 * @param firstPort SQL port of the first node; node i has that plus i
 */
record LinkPlan(int net, int nodes, int firstPort) {
    private static final int PROXY = 100;
    static final String DOMAIN = ".chaos";

    LinkPlan {
        if (net < 1 || net > 254 || nodes < 2 || nodes > 100) {
            throw new IllegalArgumentException("net %d with %d nodes".formatted(net, nodes));
        }
    }

    /** The node's own address. */
    String host(int node) {
        return "127.%d.%d.1".formatted(net, node + 1);
    }

    /** Where {@code dialler} finds {@code acceptor}. */
    String proxyHost(int dialler, int acceptor) {
        return "127.%d.%d.%d".formatted(net, acceptor + 1, PROXY + dialler + 1);
    }

    static String id(int node) {
        return "node" + (node + 1);
    }

    static String name(int node) {
        return id(node) + DOMAIN;
    }

    Ports ports(int node) {
        return Ports.from(firstPort + node);
    }

    /** Every way that the proxy must offer. */
    List<Route> routes() {
        List<Route> out = new ArrayList<>();
        for (Link link : Link.all(nodes)) {
            Ports p = ports(link.to());
            for (int port : List.of(p.replication(), p.raft(), p.api())) {
                out.add(new Route(
                        link.from(),
                        link.to(),
                        at(proxyHost(link.from(), link.to()), port),
                        at(host(link.to()), port),
                        at(proxyHost(link.to(), link.from()), 0)));
            }
        }
        return out;
    }

    private static InetSocketAddress at(String literal, int port) {
        try {
            return new InetSocketAddress(InetAddress.getByName(literal), port);
        } catch (UnknownHostException e) {
            throw new IllegalStateException("a literal address needs nobody to look it up", e);
        }
    }

    /** The names as this node is to know them. */
    String hostsFile(int node) {
        StringBuilder out = new StringBuilder("127.0.0.1 localhost\n");
        for (int other = 0; other < nodes; other++) {
            out.append(other == node ? host(node) : proxyHost(node, other))
                    .append(' ')
                    .append(name(other))
                    .append('\n');
        }
        return out.toString();
    }

    /** What stands before the command that starts a node: its names, and where the others are, in place of its file's. */
    List<String> prefix(int node, Path folder) {
        Path hosts = folder.resolve(id(node) + ".hosts");
        try {
            Files.writeString(hosts, hostsFile(node));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        List<String> peers = new ArrayList<>();
        for (int other = 0; other < nodes; other++) {
            if (other != node) {
                peers.add(name(other) + ":" + ports(other).replication());
            }
        }
        List<String> out = new ArrayList<>(List.of(
                "env",
                "JDK_JAVA_OPTIONS=-Djdk.net.hosts.file=" + hosts,
                "QUANTADB_ADVERTISED_HOST=" + name(node),
                "QUANTADB_CLUSTER_PEERS=" + String.join(",", peers)));
        if (node > 0) {
            out.add("QUANTADB_CLUSTER_REPLICATION_PRIMARY_ADDRESS=" + name(0) + ":" + ports(0).replication());
        }
        return out;
    }
}
