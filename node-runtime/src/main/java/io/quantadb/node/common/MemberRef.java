package io.quantadb.node.common;

/**
 * A member's data directory in one of its generations. Rewinding, re-cloning or emptying it takes a new generation
 * first, which counts for nothing that the old one acknowledged.
 */
public record MemberRef(NodeId node, long generation) implements Comparable<MemberRef> {
    @Override
    public int compareTo(MemberRef other) {
        int byNode = node.compareTo(other.node);
        return byNode != 0 ? byNode : Long.compare(generation, other.generation);
    }

    @Override
    public String toString() {
        return node + "/" + generation;
    }
}
