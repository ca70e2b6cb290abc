package io.quantadb.node.common;

/**
 * One life of a member's disk: an emptied or restored disk is a new incarnation, a stranger to Raft that never votes
 * for the old one. Incarnations are random and positive; only equality means anything.
 */
public record PeerId(NodeId node, long incarnation) implements Comparable<PeerId> {
    @Override
    public int compareTo(PeerId other) {
        int byNode = node.compareTo(other.node);
        return byNode != 0 ? byNode : Long.compare(incarnation, other.incarnation);
    }

    @Override
    public String toString() {
        return node + "#" + Long.toHexString(incarnation);
    }
}
