package io.quantadb.node.transport;

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
    JOIN(5);

    private final byte code;

    StreamKind(int code) {
        this.code = (byte) code;
    }

    public byte code() {
        return code;
    }
}
