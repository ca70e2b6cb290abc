package io.quantadb.node.consensus;

import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.transport.PeerNetwork;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Nodes in one process that hand each other bytes; a node can be cut off. */
final class TestingPeerNetwork {
    private final Map<NodeId, PeerNetwork.Handler> handlers = new ConcurrentHashMap<>();
    private final Set<NodeId> cut = ConcurrentHashMap.newKeySet();

    void cut(NodeId node) {
        cut.add(node);
    }

    void heal() {
        cut.clear();
    }

    PeerNetwork of(NodeId self) {
        return new PeerNetwork() {
            @Override
            public void start(Handler handler) {
                handlers.put(self, handler);
            }

            @Override
            public void setPeers(Map<NodeId, HostPort> peers) {}

            @Override
            public boolean send(NodeId to, byte kind, byte[] payload) {
                Handler handler = handlers.get(to);
                if (handler == null || cut.contains(self) || cut.contains(to)) {
                    return false;
                }
                handler.onMessage(self, kind, payload, System.nanoTime());
                return true;
            }

            @Override
            public HostPort address() {
                return new HostPort("localhost", 1);
            }

            @Override
            public void close() {
                handlers.remove(self);
            }
        };
    }
}
