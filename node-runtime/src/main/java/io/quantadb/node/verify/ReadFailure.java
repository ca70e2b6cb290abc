package io.quantadb.node.verify;

import io.quantadb.node.common.NodeId;

/**
 * A node could not be read; sorted by what is done next. The words are the server's own, or say what was waited for. Row
 * contents may be in a server's words only where its own message has them.
 */
public abstract sealed class ReadFailure extends RuntimeException {
    private final transient NodeId node;

    private ReadFailure(NodeId node, String words, Throwable cause) {
        super(words, cause);
        this.node = node;
    }

    private ReadFailure(NodeId node, String words) {
        super(words);
        this.node = node;
    }

    /** Who could not be read. */
    public NodeId node() {
        return node;
    }

    public String words() {
        return String.valueOf(getMessage());
    }

    /** A conflict, a lock or a time-out: the same may work in a moment. */
    public static final class Passing extends ReadFailure {
        public Passing(NodeId node, String words, Throwable cause) {
            super(node, words, cause);
        }
    }

    /** The table is there no more, or not yet. */
    public static final class Gone extends ReadFailure {
        public Gone(NodeId node, String words, Throwable cause) {
            super(node, words, cause);
        }
    }

    /** The server could not read its own data: a finding, not a fault of the comparison. */
    public static final class Damaged extends ReadFailure {
        public Damaged(NodeId node, String words, Throwable cause) {
            super(node, words, cause);
        }
    }

    /** The server will not do it, however often it is asked. */
    public static final class Refused extends ReadFailure {
        public Refused(NodeId node, String words, Throwable cause) {
            super(node, words, cause);
        }
    }

    /** The session is over, or never came about. */
    public static final class Lost extends ReadFailure {
        public Lost(NodeId node, String words, Throwable cause) {
            super(node, words, cause);
        }
    }

    /** The standby did not come as far as the primary in the time allowed. */
    public static final class Behind extends ReadFailure {
        public Behind(NodeId node, String words) {
            super(node, words);
        }
    }
}
