package io.quantadb.node.api;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.DecoderResult;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.jspecify.annotations.Nullable;

/**
 * One HTTP connection: keeps the request line, throws the body of a read away while counting it, keeps that of a change,
 * and answers when the request is complete. A connection that completes no request within its deadline is closed,
 * however busily it trickles. When the client does not read its answers, the connection is not read either. A change is
 * answered when it was made, which may take until {@link ApiServer#CHANGE_DEADLINE}, and ends its connection.
 *
 * <p>Confined to its channel's event loop.
 */
final class ApiHandler extends ChannelInboundHandlerAdapter {
    private static final long CHANGE_BYTES_MAX = 4 * 1024;

    private final ApiRouter router;
    private final Gatekeeper gatekeeper;
    private final long bodyBytesMax;
    private final Duration requestDeadline;

    private @Nullable HttpRequest request;
    private Caller caller = Caller.UNKNOWN;
    private byte[] kept = new byte[0];
    private long bodyBytes;
    private boolean closing;
    private @Nullable Future<?> deadline;

    ApiHandler(ApiRouter router, Gatekeeper gatekeeper, long bodyBytesMax, Duration requestDeadline) {
        this.router = router;
        this.gatekeeper = gatekeeper;
        this.bodyBytesMax = bodyBytesMax;
        this.requestDeadline = requestDeadline;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        arm(ctx, requestDeadline);
        ctx.fireChannelActive();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        disarm();
        ctx.fireChannelInactive();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        ctx.channel().config().setAutoRead(ctx.channel().isWritable());
        ctx.fireChannelWritabilityChanged();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        try {
            if (!closing && message instanceof HttpObject part) {
                onPart(ctx, part);
            }
        } finally {
            ReferenceCountUtil.release(message);
        }
    }

    private void onPart(ChannelHandlerContext ctx, HttpObject part) {
        DecoderResult result = part.decoderResult();
        if (result.isFailure()) {
            refuse(ctx, refusal(result.cause()));
            return;
        }
        if (part instanceof HttpRequest line) {
            request = line;
            bodyBytes = 0;
            kept = new byte[0];
            if (HttpUtil.is100ContinueExpected(line)) {
                refuse(
                        ctx,
                        ApiRouter.refusal(
                                HttpResponseStatus.EXPECTATION_FAILED,
                                "this server does not say 100 Continue",
                                "send the request at once"));
                return;
            }
            caller = gatekeeper.identify(certificate(ctx), line.headers().get(HttpHeaderNames.AUTHORIZATION));
        }
        HttpRequest current = request;
        if (part instanceof HttpContent content && current != null) {
            bodyBytes += content.content().readableBytes();
            boolean change = ApiRouter.isChange(current.method(), current.uri());
            long most = change ? CHANGE_BYTES_MAX : bodyBytesMax;
            if (bodyBytes > most) {
                refuse(
                        ctx,
                        ApiRouter.refusal(
                                HttpResponseStatus.REQUEST_ENTITY_TOO_LARGE,
                                "the body is larger than %d bytes".formatted(most),
                                change ? "send what is asked for" : "send none"));
                return;
            }
            if (change) {
                keep(content);
            }
            if (part instanceof LastHttpContent) {
                request = null;
                complete(ctx, current, change);
            }
        }
    }

    private void keep(HttpContent content) {
        int more = content.content().readableBytes();
        byte[] longer = java.util.Arrays.copyOf(kept, kept.length + more);
        content.content().getBytes(content.content().readerIndex(), longer, kept.length, more);
        kept = longer;
    }

    private void complete(ChannelHandlerContext ctx, HttpRequest current, boolean change) {
        ApiRouter.Answer refusal = router.refusal(current.method(), current.uri(), caller);
        if (refusal != null || !change) {
            arm(ctx, requestDeadline);
            send(ctx, refusal == null ? router.answer(current.uri()) : refusal, HttpUtil.isKeepAlive(current));
            return;
        }
        // What the client sends after this is not looked at: a change is the last request of its connection.
        closing = true;
        arm(ctx, ApiServer.CHANGE_DEADLINE.plus(requestDeadline));
        var _ = router.change(current.uri(), kept, caller)
                .thenAccept(answer -> ctx.executor().execute(() -> send(ctx, answer, false)));
    }

    /** What the other side proved itself with; checked against the cluster's CA by the handshake. */
    private static @Nullable X509Certificate certificate(ChannelHandlerContext ctx) {
        SslHandler tls = ctx.pipeline().get(SslHandler.class);
        if (tls == null) {
            return null;
        }
        try {
            return tls.engine().getSession().getPeerCertificates()[0] instanceof X509Certificate shown ? shown : null;
        } catch (SSLPeerUnverifiedException e) {
            return null;
        }
    }

    private static ApiRouter.Answer refusal(Throwable cause) {
        return switch (cause) {
            case TooLongHttpLineException line ->
                ApiRouter.refusal(
                        HttpResponseStatus.REQUEST_URI_TOO_LONG, "the request line is too long", "shorten it");
            case TooLongHttpHeaderException headers ->
                ApiRouter.refusal(
                        HttpResponseStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the headers are too large", "send fewer");
            default ->
                ApiRouter.refusal(
                        HttpResponseStatus.BAD_REQUEST, "this is not a valid HTTP/1.1 request", "use an HTTP client");
        };
    }

    private void refuse(ChannelHandlerContext ctx, ApiRouter.Answer answer) {
        closing = true;
        request = null;
        send(ctx, answer, false);
    }

    private static void send(ChannelHandlerContext ctx, ApiRouter.Answer answer, boolean keepAlive) {
        var response = new DefaultFullHttpResponse(
                HttpVersion.HTTP_1_1, answer.status(), Unpooled.wrappedBuffer(answer.body()));
        response.headers()
                .set(HttpHeaderNames.CONTENT_TYPE, "application/json; charset=utf-8")
                .setInt(HttpHeaderNames.CONTENT_LENGTH, answer.body().length)
                .set(HttpHeaderNames.CACHE_CONTROL, "no-store")
                .set("X-Content-Type-Options", "nosniff");
        if (answer.allow() != null) {
            response.headers().set(HttpHeaderNames.ALLOW, answer.allow());
        }
        if (keepAlive) {
            Future<?> _ = ctx.writeAndFlush(response);
        } else {
            response.headers().set(HttpHeaderNames.CONNECTION, "close");
            ctx.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE);
        }
    }

    private void arm(ChannelHandlerContext ctx, Duration within) {
        disarm();
        deadline = ctx.executor().schedule(() -> close(ctx), within.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void disarm() {
        Future<?> armed = deadline;
        if (armed != null) {
            armed.cancel(false);
            deadline = null;
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (!(cause instanceof IOException)) {
            org.slf4j.LoggerFactory.getLogger(ApiHandler.class)
                    .atDebug()
                    .setCause(cause)
                    .log("an API connection was closed");
        }
        close(ctx);
    }

    private static void close(ChannelHandlerContext ctx) {
        Future<?> _ = ctx.close();
    }
}
