package io.quantadb.node.front;

import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.transport.PeerStreams;
import io.quantadb.node.transport.StreamKind;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** The streams of a node that has no peers. */
final class NoPeers implements PeerStreams {
    @Override
    public void start() {}

    @Override
    public void setAcceptor(StreamKind kind, Acceptor acceptor) {}

    @Override
    public CompletableFuture<Opened> open(
            HostPort address, NodeId expected, StreamKind kind, byte[] header, Duration deadline) {
        return CompletableFuture.failedFuture(new IOException("there are no peers"));
    }

    @Override
    public HostPort address() {
        return new HostPort("127.0.0.1", 1);
    }

    @Override
    public void close() {}
}
