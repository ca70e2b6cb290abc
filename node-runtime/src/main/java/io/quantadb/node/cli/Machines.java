package io.quantadb.node.cli;

import io.quantadb.node.pki.TlsFiles;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where the nodes of a demo stand: all on loopback, or, in a bench, each in a network of its own.
 *
 * @param hosts one address per node
 * @param prefixes what stands before the command that starts each node's agent; empty lists for nothing
 * @param tls what to show when asking the nodes over HTTPS, and whom to trust; null for plain HTTP, on loopback only
 */
public record Machines(
        List<String> hosts,
        List<List<String>> prefixes,
        @Nullable TlsFiles tls) {
    /** Three on loopback. */
    public static final Machines LOOPBACK = new Machines(
            List.of(DemoNode.HOST, DemoNode.HOST, DemoNode.HOST), List.of(List.of(), List.of(), List.of()), null);

    public Machines {
        hosts = List.copyOf(hosts);
        prefixes = List.copyOf(prefixes);
        if (hosts.size() != prefixes.size()) {
            throw new IllegalArgumentException("%d hosts and %d prefixes".formatted(hosts.size(), prefixes.size()));
        }
    }

    /** Whether the nodes share this machine's loopback, and so its ports. */
    boolean sharePorts() {
        return hosts.stream().distinct().count() < hosts.size();
    }
}
