package io.quantadb.node.wal;

/**
 * Who shall own the files of a clone: PostgreSQL's user when the agent is root.
 *
 * @param uid numeric user id
 * @param gid numeric group id
 */
public record FileOwner(int uid, int gid) {}
