package io.quantadb.node.transport;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.ssl.SslHandler;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.transport.PeerStreams.CertificateRefused;
import io.quantadb.node.transport.PeerStreams.Opened;
import io.quantadb.node.transport.PeerStreams.StreamRefused;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A stream that this node dials: whom it reached, the opening, the answer, hand-over through the future, which whoever
 * started it ends at its deadline. Confined to its channel's event loop.
 */
// A failed write or close ends in channelInactive, which is where it is dealt with.
@SuppressWarnings("FutureReturnValueIgnored")
final class OutgoingStream extends OpeningHandler {
    private final HostPort address;
    private final @Nullable NodeId expected;
    private final StreamKind kind;
    private final byte[] header;
    private final CompletableFuture<Opened> result;
    private @Nullable NodeId peer;
    private StreamWire.@Nullable Answer answer;

    OutgoingStream(
            HostPort address,
            @Nullable NodeId expected,
            StreamKind kind,
            byte[] header,
            CompletableFuture<Opened> result) {
        this.address = address;
        this.expected = expected;
        this.kind = kind;
        this.header = header;
        this.result = result;
    }

    @Override
    void onTls(ChannelHandlerContext ctx, SslHandler tls) {
        Optional<NodeId> found = PeerIdentity.of(tls);
        if (found.isEmpty() || (expected != null && !found.get().equals(expected))) {
            String meant = expected == null ? "a node" : "node '" + expected + "'";
            fail(
                    ctx,
                    new IOException("dialled %s at %s and reached %s: correct the address, or that node's certificate"
                            .formatted(
                                    meant,
                                    address,
                                    found.map(n -> "node '" + n + "'")
                                            .orElse("somebody whose certificate names no node"))));
            return;
        }
        peer = found.get();
        ctx.writeAndFlush(StreamWire.opening(kind, header));
    }

    @Override
    boolean parse(ChannelHandlerContext ctx, ByteBuf in) {
        try {
            Optional<StreamWire.Answer> taken = StreamWire.takeAnswer(in);
            taken.ifPresent(a -> answer = a);
            return taken.isPresent();
        } catch (StreamWire.Malformed e) {
            in.skipBytes(in.readableBytes());
            fail(ctx, new IOException(address + ": " + e.getMessage()));
            return false;
        }
    }

    @Override
    void onParsed(ChannelHandlerContext ctx) {
        StreamWire.Answer said = answer;
        NodeId from = peer;
        if (said == null || from == null) {
            throw new IllegalStateException("parsed without an answer or a peer");
        }
        if (said.code() != null) {
            fail(ctx, new StreamRefused(said.code(), String.valueOf(said.words())));
            return;
        }
        handOver();
        if (!result.complete(new Opened(ctx.channel(), from, said.reply()))) {
            ctx.close(); // Whoever asked has given up.
        }
    }

    @Override
    void onFailure(ChannelHandlerContext ctx, @Nullable Throwable cause) {
        if (cause == null) {
            fail(ctx, new IOException("%s closed the connection before it answered".formatted(address)));
        } else if (PeerIdentity.isCertificate(cause)) {
            fail(ctx, new CertificateRefused("%s: %s".formatted(address, PeerIdentity.words(cause))));
        } else {
            fail(ctx, new IOException("%s: %s".formatted(address, PeerIdentity.words(cause)), cause));
        }
    }

    private void fail(ChannelHandlerContext ctx, Exception why) {
        result.completeExceptionally(why);
        ctx.close();
    }
}
