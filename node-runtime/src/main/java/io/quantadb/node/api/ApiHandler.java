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
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One HTTP connection: keeps the request line, throws the body away while counting it, answers when the request is
 * complete. A connection that completes no request within its deadline is closed, however busily it trickles. When the
 * client does not read its answers, the connection is not read either.
 *
 * <p>Confined to its channel's event loop.
 */
final class ApiHandler extends ChannelInboundHandlerAdapter {
    private final ApiRouter router;
    private final long bodyBytesMax;
    private final Duration requestDeadline;

    private @Nullable HttpRequest request;
    private long bodyBytes;
    private boolean closing;
    private @Nullable Future<?> deadline;

    ApiHandler(ApiRouter router, long bodyBytesMax, Duration requestDeadline) {
        this.router = router;
        this.bodyBytesMax = bodyBytesMax;
        this.requestDeadline = requestDeadline;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        arm(ctx);
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
            if (HttpUtil.is100ContinueExpected(line)) {
                refuse(ctx, ApiRouter.refusal(HttpResponseStatus.EXPECTATION_FAILED, "no body is wanted", "send none"));
                return;
            }
        }
        HttpRequest current = request;
        if (part instanceof HttpContent content && current != null) {
            bodyBytes += content.content().readableBytes();
            if (bodyBytes > bodyBytesMax) {
                refuse(
                        ctx,
                        ApiRouter.refusal(
                                HttpResponseStatus.REQUEST_ENTITY_TOO_LARGE,
                                "the body is larger than %d bytes".formatted(bodyBytesMax),
                                "send none"));
                return;
            }
            if (part instanceof LastHttpContent) {
                request = null;
                arm(ctx);
                send(ctx, router.answer(current.method(), current.uri()), HttpUtil.isKeepAlive(current));
            }
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
        if (answer.status().equals(HttpResponseStatus.METHOD_NOT_ALLOWED)) {
            response.headers().set(HttpHeaderNames.ALLOW, "GET, HEAD");
        }
        if (keepAlive) {
            Future<?> _ = ctx.writeAndFlush(response);
        } else {
            response.headers().set(HttpHeaderNames.CONNECTION, "close");
            ctx.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE);
        }
    }

    private void arm(ChannelHandlerContext ctx) {
        disarm();
        deadline = ctx.executor().schedule(() -> close(ctx), requestDeadline.toMillis(), TimeUnit.MILLISECONDS);
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
