package io.quantadb.node.front;

/**
 * How many client connections there are, by kind, at one moment.
 *
 * @param standby with the PostgreSQL beside us, which is a replica
 * @param primary with the PostgreSQL beside us, which is the primary, from our own listeners
 * @param fromPeers the same, through another node's front
 * @param relayed passed on to the primary's node
 * @param starting in start-up, or waiting for a primary
 * @param held those of the first three whose bytes are held back now
 */
public record FrontSessions(int standby, int primary, int fromPeers, int relayed, int starting, int held) {
    public int total() {
        return standby + primary + fromPeers + relayed + starting;
    }
}
