package io.quantadb.node.relay;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Logs in to the local server's socket by peer authentication (or trust), for replication as the agent's own role, or as
 * another: the relay holds no password and answers no request for one. Confined to the relay's loop.
 */
final class PgLogin extends ChannelInboundHandlerAdapter {
    /** Exactly one of the two is called, once, within the connect timeout. */
    interface Outcome {
        /** The server awaits a command; auto-read is off. */
        void onReady(Channel channel, String serverVersion);

        void onFailed(String reason);
    }

    private final ByteBuf startup;
    private final Outcome outcome;
    private @Nullable FrameCutter cutter;
    private String serverVersion = "";
    private boolean done;

    private PgLogin(ByteBuf startup, Outcome outcome) {
        this.startup = startup;
        this.outcome = outcome;
    }

    static void start(EventLoop loop, RelayConfig config, String applicationName, Outcome outcome) {
        Map<String, String> parameters = new LinkedHashMap<>();
        parameters.put("user", config.postgresUser());
        parameters.put("replication", "true");
        parameters.put("application_name", applicationName);
        start(loop, config, parameters, outcome);
    }

    /** Not for replication: a session of that role. */
    static void start(
            EventLoop loop, RelayConfig config, RewindSource.Login login, String applicationName, Outcome outcome) {
        Map<String, String> parameters = new LinkedHashMap<>();
        parameters.put("user", login.role());
        parameters.put("database", login.database());
        parameters.put("application_name", applicationName);
        parameters.put("options", "-c statement_timeout=0 -c lock_timeout=0 -c idle_session_timeout=0");
        start(loop, config, parameters, outcome);
    }

    private static void start(EventLoop loop, RelayConfig config, Map<String, String> parameters, Outcome outcome) {
        ByteBuf startup = WalMessages.startup(io.netty.buffer.UnpooledByteBufAllocator.DEFAULT, parameters);
        PgLogin login = new PgLogin(startup, outcome);
        int timeoutMs = (int) config.connectTimeout().toMillis();
        var connect = UnixSockets.connect(loop, config.postgresSocket(), config.streamBufferBytes(), timeoutMs, login);
        var deadline = loop.schedule(
                () -> login.fail(connect.channel(), "the server did not answer a log-in in " + timeoutMs + " ms"),
                timeoutMs,
                TimeUnit.MILLISECONDS);
        var _ = connect.addListener(future -> {
            if (!future.isSuccess()) {
                startup.release();
                login.fail(connect.channel(), Link.reason(future.cause()));
            }
        });
        var _ = connect.channel().closeFuture().addListener(future -> deadline.cancel(false));
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        cutter = new FrameCutter(ctx.alloc());
        var _ = ctx.writeAndFlush(startup);
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        FrameCutter frames = cutter;
        if (frames == null) {
            ((ByteBuf) message).release();
            return;
        }
        frames.feed((ByteBuf) message, (tag, frame) -> {
            try {
                onFrame(ctx, tag, frame);
            } finally {
                frame.release();
            }
        });
    }

    private void onFrame(ChannelHandlerContext ctx, byte tag, ByteBuf frame) {
        switch (tag) {
            case 'R' -> {
                if (frame.getInt(frame.readerIndex() + WalMessages.PAYLOAD) != 0) {
                    fail(
                            ctx.channel(),
                            "the server asks its own agent for a password: pg_hba.conf must let it in by peer");
                }
            }
            case 'S' -> {
                ByteBuf body = frame.slice(WalMessages.PAYLOAD, frame.readableBytes() - WalMessages.PAYLOAD);
                String[] pair =
                        body.toString(java.nio.charset.StandardCharsets.UTF_8).split("\0", -1);
                if (pair.length > 1 && pair[0].equals("server_version")) {
                    serverVersion = pair[1];
                }
            }
            case WalMessages.ERROR ->
                fail(ctx.channel(), WalMessages.error(frame).toString());
            case WalMessages.READY -> ready(ctx);
            default -> {
                // key data, notices
            }
        }
    }

    private void ready(ChannelHandlerContext ctx) {
        if (!done) {
            done = true;
            releaseCutter();
            ctx.channel().config().setAutoRead(false);
            var _ = ctx.pipeline().remove(this);
            outcome.onReady(ctx.channel(), serverVersion);
        }
    }

    private void fail(Channel channel, String reason) {
        if (!done) {
            done = true;
            releaseCutter();
            RelayContext.close(channel);
            outcome.onFailed(reason);
        }
    }

    private void releaseCutter() {
        if (cutter != null) {
            cutter.release();
            cutter = null;
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        fail(ctx.channel(), "the server ended the connection during log-in");
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        fail(ctx.channel(), Link.reason(cause));
    }
}
