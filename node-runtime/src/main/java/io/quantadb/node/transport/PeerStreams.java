package io.quantadb.node.transport;

import io.netty.channel.Channel;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Streams between agents on the replication port, over mTLS 1.3: one TCP connection each, opened with a kind and a
 * small header, accepted with a small reply or refused with a code and words. After that both sides own the
 * {@link Channel} and put their own handlers on it; bytes are already decrypted.
 */
public interface PeerStreams extends AutoCloseable {
    /**
     * The code of a refusal that ends by itself: whoever hears it asks again soon, so that an acceptor says it to people
     * once and the port never does.
     */
    String NOT_YOUR_TURN = "not_your_turn";

    /**
     * A stream that the other side accepted. The channel has auto-read off, and bytes that have come already are kept
     * for its owner: put the handlers on it first, on any thread, then {@code setAutoRead(true)} or {@code read()}. It
     * may be closed by then; {@code closeFuture()} tells.
     */
    record Opened(Channel channel, NodeId peer, byte[] reply) {}

    /** Decides about one incoming stream; called on the channel's event loop. */
    interface Acceptor {
        /**
         * Calls {@code verdict} exactly once, at once or later, on any thread; a second call is an
         * {@link IllegalStateException}. Without one the stream is refused after the verdict limit (30 s).
         */
        void onOpen(Incoming incoming, Verdict verdict);
    }

    record Incoming(NodeId peer, StreamKind kind, byte[] header, HostPort remote) {}

    interface Verdict {
        /**
         * Accepts with a reply (64 KiB at most), after which {@code owner} is called once with the channel, on its event
         * loop, auto-read off, as {@link Opened} describes. When the dialler has gone meanwhile, or the limit has
         * passed, {@code owner} is called all the same and finds it closed, so that it can tidy up in one place.
         */
        void accept(byte[] reply, Consumer<Channel> owner);

        /** Says no: {@code code} for programs, {@code words} for people (4 KiB at most together). */
        void refuse(String code, String words);
    }

    /**
     * Binds the replication port; once. Streams of kinds without an acceptor are refused with code {@code not_served}.
     * Throws LocalFault when the port cannot be had. Blocking.
     */
    void start();

    /** Who decides about streams of a kind; replaces the former one. Any thread, any time. */
    void setAcceptor(StreamKind kind, Acceptor acceptor);

    /**
     * Dials (every address of the name in turn), checks the peer's identity ({@code expected}, when not null), opens.
     * Ends within {@code deadline}, on an event loop: dependents of the future must not block. Fails with
     * {@link StreamRefused} when the other side understood and said no, with {@link CertificateRefused} when the two
     * are of different clusters or a certificate is out of its time, with an IOException whose message says what and
     * where otherwise. Cancelling the future closes the connection. A header is 16 KiB at most.
     *
     * <p>Refusal codes of the port itself: {@code not_a_member}, {@code version}, {@code not_served},
     * {@code too_many}, {@code timeout}; all others are the acceptor's.
     */
    CompletableFuture<Opened> open(
            HostPort address, @Nullable NodeId expected, StreamKind kind, byte[] header, Duration deadline);

    HostPort address();

    @Override
    void close();

    /** One side does not trust the other's certificate, so the same attempt fails again; the message says what to do. */
    final class CertificateRefused extends IOException {
        public CertificateRefused(String words) {
            super(words);
        }
    }

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
