package io.quantadb.node.runtime;

import io.quantadb.node.cluster.Addresses;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeException.LocalFault;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Where the members of the cluster are reached that this disk's cluster was made in place of, one replication address in a
 * line: they are to hear of it. Kept for ever, since a lost disk may come back after years.
 */
final class RecoveryMark {
    private final MarkFile file;

    RecoveryMark(Path metadata) {
        this.file = new MarkFile(metadata.resolve("recovered"));
    }

    List<HostPort> read() {
        try {
            return file.read().stream().map(HostPort::parse).toList();
        } catch (IllegalArgumentException e) {
            throw new LocalFault("%s cannot be read: %s".formatted(file, e), e);
        }
    }

    /** Adds these to what is there; durable when it returns. */
    void add(Collection<Addresses> members) {
        Set<HostPort> all = new LinkedHashSet<>(read());
        members.forEach(a -> all.add(a.replication()));
        file.write(all.stream().map(HostPort::toString).toList());
    }
}
