package io.quantadb.node.runtime;

import io.quantadb.node.common.NodeId;
import io.quantadb.node.consensus.ControlDispatcher;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** When each node was last heard, for people to read. Written on the network's thread, read on any. */
final class Heard implements ControlDispatcher.Watcher {
    private final Map<NodeId, Long> last = new ConcurrentHashMap<>();

    @Override
    public void onHeard(NodeId from, long receivedNanos) {
        last.put(from, receivedNanos);
    }

    /** Milliseconds since that node's last message, -1 when there was none. */
    long silentMillis(NodeId node, long nowNanos) {
        Long at = last.get(node);
        return at == null ? -1 : Math.max(0, (nowNanos - at) / 1_000_000);
    }
}
