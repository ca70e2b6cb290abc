package io.quantadb.node.relay;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.transport.PeerStreams;
import io.quantadb.node.transport.StreamKind;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Peer streams in the clear on 127.0.0.1, whose channels live on another loop than the relay's, so that the handing
 * over between loops is tested too. Opening: kind, node and header with lengths; reply: 0 or 1, then bytes with length.
 */
final class TestingPeerStreams implements PeerStreams {
    private final NodeId self;
    private final EventLoopGroup group;
    private final Map<StreamKind, Acceptor> acceptors = new EnumMap<>(StreamKind.class);
    private final Set<Channel> open = ConcurrentHashMap.newKeySet();
    private Channel listening;
    private volatile boolean refusing;

    TestingPeerStreams(NodeId self, EventLoopGroup group) {
        this.self = self;
        this.group = group;
        start();
    }

    /** While true the node cannot be reached: new streams are cut. */
    void refusing(boolean on) {
        refusing = on;
    }

    /** Cuts every stream, as a broken network does. */
    void cut() {
        open.forEach(RelayContext::close);
    }

    @Override
    public void start() {
        listening = new ServerBootstrap()
                .group(group)
                .channel(NioServerSocketChannel.class)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        remember(channel);
                        channel.pipeline().addLast(new Accepting());
                    }
                })
                .bind(InetAddress.getLoopbackAddress(), 0)
                .syncUninterruptibly()
                .channel();
    }

    private void remember(Channel channel) {
        open.add(channel);
        var _ = channel.closeFuture().addListener(future -> open.remove(channel));
    }

    @Override
    public void setAcceptor(StreamKind kind, Acceptor acceptor) {
        acceptors.put(kind, acceptor);
    }

    @Override
    public CompletableFuture<Opened> open(
            HostPort address, NodeId expected, StreamKind kind, byte[] header, Duration deadline) {
        CompletableFuture<Opened> outcome = new CompletableFuture<>();
        byte[] node = self.value().getBytes(StandardCharsets.UTF_8);
        ByteBuf hello = Unpooled.buffer().writeByte(kind.code()).writeInt(node.length);
        hello.writeBytes(node).writeInt(header.length).writeBytes(header);
        var _ = new Bootstrap()
                .group(group)
                .channel(NioSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true)
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        remember(channel);
                        channel.pipeline().addLast(new Opening(outcome, expected, hello));
                    }
                })
                .connect(address.host(), address.port())
                .addListener(connected -> {
                    if (!connected.isSuccess()) {
                        outcome.completeExceptionally(connected.cause());
                    }
                });
        return outcome.orTimeout(deadline.toMillis(), TimeUnit.MILLISECONDS);
    }

    @Override
    public HostPort address() {
        return new HostPort("127.0.0.1", ((InetSocketAddress) listening.localAddress()).getPort());
    }

    @Override
    public void close() {
        listening.close().syncUninterruptibly();
        cut();
    }

    private static StreamKind kind(byte code) {
        return Stream.of(StreamKind.values())
                .filter(kind -> kind.code() == code)
                .findFirst()
                .orElseThrow();
    }

    private static byte[] block(ByteBuf in) {
        byte[] bytes = new byte[in.readInt()];
        in.readBytes(bytes);
        return bytes;
    }

    private static final class Opening extends ByteToMessageDecoder {
        private final CompletableFuture<Opened> outcome;
        private final NodeId expected;
        private final ByteBuf hello;

        private Opening(CompletableFuture<Opened> outcome, NodeId expected, ByteBuf hello) {
            this.outcome = outcome;
            this.expected = expected;
            this.hello = hello;
        }

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            var _ = ctx.writeAndFlush(hello);
        }

        @Override
        protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
            if (in.readableBytes() < 5 || in.readableBytes() < 5 + in.getInt(in.readerIndex() + 1)) {
                return;
            }
            boolean accepted = in.readByte() == 0;
            byte[] reply = block(in);
            if (accepted) {
                ctx.channel().config().setAutoRead(false);
                outcome.complete(new Opened(ctx.channel(), expected, reply));
                ctx.pipeline().remove(this);
            } else {
                RelayContext.close(ctx.channel());
                String[] said = new String(reply, StandardCharsets.UTF_8).split("\0");
                outcome.completeExceptionally(new StreamRefused(said[0], said[1]));
            }
        }

        @Override
        protected void handlerRemoved0(ChannelHandlerContext ctx) {
            outcome.completeExceptionally(new IOException("the peer hung up"));
        }
    }

    private final class Accepting extends ByteToMessageDecoder {
        private boolean asked;

        @Override
        protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
            if (asked || refusing) {
                if (refusing) {
                    RelayContext.close(ctx.channel());
                }
                return;
            }
            in.markReaderIndex();
            if (in.readableBytes() < 5 || in.readableBytes() < 9 + in.getInt(in.readerIndex() + 1)) {
                return;
            }
            StreamKind kind = kind(in.readByte());
            NodeId peer = new NodeId(new String(block(in), StandardCharsets.UTF_8));
            if (in.readableBytes() < 4 || in.readableBytes() < 4 + in.getInt(in.readerIndex())) {
                in.resetReaderIndex();
                return;
            }
            asked = true;
            byte[] header = block(in);
            Verdict verdict = new Verdict() {
                @Override
                public void accept(byte[] reply, Consumer<Channel> owner) {
                    ctx.executor().execute(() -> {
                        ctx.channel().config().setAutoRead(false);
                        ctx.pipeline().remove(Accepting.this);
                        var _ = ctx.channel().writeAndFlush(answer(0, reply));
                        owner.accept(ctx.channel());
                    });
                }

                @Override
                public void refuse(String code, String words) {
                    byte[] said = (code + "\0" + words).getBytes(StandardCharsets.UTF_8);
                    var _ = ctx.channel().writeAndFlush(answer(1, said)).addListener(ChannelFutureListener.CLOSE);
                }
            };
            Acceptor acceptor = acceptors.get(kind);
            if (acceptor == null) {
                verdict.refuse("no_acceptor", "nobody takes " + kind);
            } else {
                acceptor.onOpen(new Incoming(peer, kind, header, new HostPort("127.0.0.1", 1)), verdict);
            }
        }

        private static ByteBuf answer(int code, byte[] bytes) {
            return Unpooled.buffer().writeByte(code).writeInt(bytes.length).writeBytes(bytes);
        }
    }
}
