package io.quantadb.node.transport;

import io.quantadb.node.common.NodeId;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Writes down what a network says. */
final class TestingHandler implements PeerNetwork.Handler {
    final List<String> messages = new CopyOnWriteArrayList<>();
    final List<String> events = new CopyOnWriteArrayList<>();
    final List<Integer> sizes = new CopyOnWriteArrayList<>();

    @Override
    public void onMessage(NodeId from, byte kind, byte[] payload, long receivedNanos) {
        sizes.add(payload.length);
        messages.add(
                from + "/" + kind + "/" + (payload.length > 100 ? "..." : new String(payload, StandardCharsets.UTF_8)));
    }

    @Override
    public void onConnected(NodeId peer) {
        events.add("up " + peer);
    }

    @Override
    public void onDisconnected(NodeId peer, boolean reset) {
        events.add((reset ? "reset " : "down ") + peer);
    }
}
