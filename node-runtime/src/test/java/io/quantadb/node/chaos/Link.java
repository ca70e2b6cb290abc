package io.quantadb.node.chaos;

import java.util.ArrayList;
import java.util.List;

/** What one node sends to another, over all connections between the two, whoever dialled. Nodes count from 0. */
record Link(int from, int to) {
    Link {
        if (from == to || from < 0 || to < 0) {
            throw new IllegalArgumentException("there is no link from %d to %d".formatted(from, to));
        }
    }

    Link reversed() {
        return new Link(to, from);
    }

    /** Every link among so many nodes. */
    static List<Link> all(int nodes) {
        List<Link> out = new ArrayList<>();
        for (int from = 0; from < nodes; from++) {
            for (int to = 0; to < nodes; to++) {
                if (from != to) {
                    out.add(new Link(from, to));
                }
            }
        }
        return out;
    }

    /** Every link that begins or ends at a node. */
    static List<Link> of(int node, int nodes) {
        return all(nodes).stream()
                .filter(link -> link.from == node || link.to == node)
                .toList();
    }

    @Override
    public String toString() {
        return "node%d->node%d".formatted(from + 1, to + 1);
    }
}
