package io.quantadb.node.relay;

/** What the local server needs before a member can rewind by it. */
@FunctionalInterface
public interface RewindSource {
    /** The session that the member gets: of this role and in this database, whatever it asks for itself. */
    record Login(String role, String database) {}

    /**
     * Sees to it that the role is there and that the server's control file names the timeline that it writes. Blocks, for
     * some seconds at most, on a thread of its own.
     *
     * @throws io.quantadb.node.common.NodeException.Busy when that takes longer: it is under way, ask again
     * @throws RuntimeException with words for people when it cannot be
     */
    Login prepare();
}
