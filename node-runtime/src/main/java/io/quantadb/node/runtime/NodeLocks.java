package io.quantadb.node.runtime;

import io.quantadb.node.common.NodeException;
import io.quantadb.node.config.NodeConfig;
import io.quantadb.node.postgres.ServerUser;
import io.quantadb.node.raftlog.DirectoryLock;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * The data and the run folder belong to one agent at a time. Taken before anything in them is touched: a second agent
 * would end the first one's PostgreSQL as a left-over and take its sockets away. The system lets go of them when the
 * process ends, however it ends.
 */
final class NodeLocks implements AutoCloseable {
    private final Deque<DirectoryLock> held = new ArrayDeque<>();

    private NodeLocks() {}

    /** {@link NodeException.LocalFault} that names the other process when one of the folders is in use. */
    static NodeLocks acquire(NodeConfig config, ServerUser user) {
        NodeLocks locks = new NodeLocks();
        try {
            for (Path folder : List.of(config.dataDir(), config.runDir())) {
                // Made here for the first time, and PostgreSQL's user has to pass.
                locks.held.push(DirectoryLock.acquire(user.passableDirectory(folder)));
            }
            return locks;
        } catch (NodeException e) {
            locks.close();
            throw e;
        }
    }

    @Override
    public void close() {
        while (!held.isEmpty()) {
            held.pop().close();
        }
    }
}
