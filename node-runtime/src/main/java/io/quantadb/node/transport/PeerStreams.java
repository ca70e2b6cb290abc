package io.quantadb.node.transport;

import io.netty.channel.Channel;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Streams between agents on the replication port, over mTLS 1.3: one TCP connection each, opened with a kind and a
 * small header, accepted with a small reply or refused with a code and words. After that both sides own the
 * {@link Channel} and put their own handlers on it; bytes are already decrypted.
 */
public interface PeerStreams extends AutoCloseable {
    /** An accepted stream: the channel has auto-read off until the owner has put its handlers on it. */
    record Opened(Channel channel, NodeId peer, byte[] reply) {}

    /** Decides about one incoming stream; called on the channel's event loop. */
    interface Acceptor {
        /** Calls {@code verdict} exactly once, at once or later, on any thread. */
        void onOpen(Incoming incoming, Verdict verdict);
    }

    record Incoming(NodeId peer, StreamKind kind, byte[] header, HostPort remote) {}

    interface Verdict {
        /** Accepts with a reply; {@code owner} then gets the channel on its event loop, auto-read off. */
        void accept(byte[] reply, java.util.function.Consumer<Channel> owner);

        void refuse(String code, String words);
    }

    /** Starts to listen; streams of kinds without an acceptor are refused. */
    void start();

    void setAcceptor(StreamKind kind, Acceptor acceptor);

    /**
     * Dials, checks the peer's identity ({@code expected}, when not null), opens. Fails with
     * {@link StreamRefused} when the other side said no, with an IOException otherwise.
     *
     */
    CompletableFuture<Opened> open(
            HostPort address, @Nullable NodeId expected, StreamKind kind, byte[] header, Duration deadline);

    HostPort address();

    @Override
    void close();

    /** The other side understood the opening and said no. */
    final class StreamRefused extends RuntimeException {
        private final String code;

        public StreamRefused(String code, String words) {
            super(words);
            this.code = code;
        }

        public String code() {
            return code;
        }
    }
}
