package io.quantadb.node.transport;

import java.util.Optional;

/** What a stream on the replication port carries after its opening; the code is on the wire. */
public enum StreamKind {
    /** Asks who is there: cluster id, leader, members; answered in the opening reply, then closed. */
    HELLO(1),
    /** A standby's WAL stream (replication protocol, frames as PostgreSQL cuts them). */
    WAL(2),
    /** A base backup (replication protocol). */
    BASE_BACKUP(3),
    /** A client's SQL session, from the front of another node (protocol 3.x after start-up negotiation of TLS). */
    SQL(4),
    /** A request to join the cluster; answered in the opening reply, then closed. */
    JOIN(5),
    /** A member's read-only session with this node's server, to rewind by (protocol 3.x). */
    REWIND(6),
    /** A member tells where it is reached by now; answered in the opening reply, then closed. */
    MOVED(7);

    private final byte code;

    StreamKind(int code) {
        this.code = (byte) code;
    }

    public byte code() {
        return code;
    }

    /** The kind with this code; empty for one that this release does not know. */
    static Optional<StreamKind> byCode(byte code) {
        for (StreamKind kind : values()) {
            if (kind.code == code) {
                return Optional.of(kind);
            }
        }
        return Optional.empty();
    }
}
