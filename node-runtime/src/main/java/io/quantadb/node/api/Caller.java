package io.quantadb.node.api;

/**
 * Who sent a request, as far as it proved it.
 *
 * @param name for the log: a node id, the common name of a role's certificate, or how it proved itself
 */
public record Caller(String name, Role role) {
    /** What a caller may do; each includes what stands above it. */
    public enum Role {
        /** Proved nothing: probes. */
        ANYBODY,
        /** Reads. */
        VIEWER,
        /** A member's agent: reads. */
        NODE,
        /** Changes. */
        OPERATOR
    }

    /** Somebody who proved nothing. */
    public static final Caller UNKNOWN = new Caller("", Role.ANYBODY);

    boolean may(Role wanted) {
        return role.compareTo(wanted) >= 0;
    }
}
