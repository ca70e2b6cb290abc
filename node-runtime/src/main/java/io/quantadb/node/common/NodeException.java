package io.quantadb.node.common;

/** What can go wrong inside a node, sorted by what the caller does next. */
public abstract sealed class NodeException extends RuntimeException {
    private NodeException(String message, Throwable cause) {
        super(message, cause);
    }

    private NodeException(String message) {
        super(message);
    }

    /** The caller broke the protocol; answer with the SQLSTATE and close. */
    public static final class ProtocolViolation extends NodeException {
        private final String sqlState;

        public ProtocolViolation(String sqlState, String message) {
            super(message);
            this.sqlState = sqlState;
        }

        public String sqlState() {
            return sqlState;
        }
    }

    /** Nothing was done here; the same call elsewhere, or later, may work. */
    public static final class NotLeader extends NodeException {
        public NotLeader(String message) {
            super(message);
        }
    }

    /** Outcome unknown: it may have been done. Retry only what is idempotent. */
    public static final class Indeterminate extends NodeException {
        public Indeterminate(String message) {
            super(message);
        }

        public Indeterminate(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** A bounded queue is full; nothing was done; try again later. */
    public static final class Busy extends NodeException {
        public Busy(String message) {
            super(message);
        }
    }

    /** This node was fenced; stop at once. */
    public static final class Fenced extends NodeException {
        public Fenced(String message) {
            super(message);
        }
    }

    /** This node's disk, PostgreSQL or configuration is unfit; a person must look. */
    public static final class LocalFault extends NodeException {
        public LocalFault(String message) {
            super(message);
        }

        public LocalFault(String message, Throwable cause) {
            super(message, cause);
        }
    }
}
