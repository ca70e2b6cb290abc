package io.quantadb.node.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.ssl.SslHandler;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class OpeningHandlerTest {
    private final List<String> seen = new ArrayList<>();
    private final Testing opening = new Testing();
    private final EmbeddedChannel channel = new EmbeddedChannel(opening);

    /** Its opening is everything up to the first '!'. */
    private final class Testing extends OpeningHandler {
        @Override
        void onTls(ChannelHandlerContext ctx, SslHandler tls) {}

        @Override
        boolean parse(ChannelHandlerContext ctx, ByteBuf in) {
            int end = in.bytesBefore((byte) '!');
            if (end >= 0) {
                in.skipBytes(end + 1);
            }
            return end >= 0;
        }

        @Override
        void onParsed(ChannelHandlerContext ctx) {
            seen.add("parsed");
        }

        @Override
        void onFailure(ChannelHandlerContext ctx, @Nullable Throwable cause) {
            seen.add("failed " + cause);
        }
    }

    private final class Owner extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            var bytes = (ByteBuf) message;
            seen.add("read " + bytes.toString(StandardCharsets.US_ASCII));
            bytes.release();
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            seen.add("inactive");
        }
    }

    private ByteBuf feed(String text) {
        ByteBuf in = Unpooled.directBuffer().writeBytes(text.getBytes(StandardCharsets.US_ASCII));
        channel.writeInbound(in);
        return in;
    }

    @Test
    void keepsWhatCameWithTheOpeningUntilTheOwnerReads() {
        // Given
        ByteBuf first = feed("open!abc");
        ByteBuf second = feed("def");
        opening.handOver();
        channel.pipeline().addLast(new Owner());
        assertThat(seen).containsExactly("parsed");
        assertThat(opening.keptBytes()).isEqualTo(6);
        assertThat(channel.config().isAutoRead()).isFalse();
        // When
        channel.read();
        // Then
        assertThat(seen).containsExactly("parsed", "read abcdef");
        assertThat(channel.pipeline().get(Testing.class)).isNull();
        assertThat(first.refCnt() + second.refCnt()).isZero();
        feed("ghi");
        assertThat(seen).endsWith("read ghi");
        channel.finishAndReleaseAll();
    }

    @Test
    void startsToFlowWhenTheOwnerTurnsAutoReadOn() {
        // Given
        for (char c : "open!xyz".toCharArray()) {
            feed(String.valueOf(c));
        }
        opening.handOver();
        channel.pipeline().addLast(new Owner());
        // When
        channel.config().setAutoRead(true);
        // Then
        assertThat(seen).containsExactly("parsed", "read xyz");
        channel.finishAndReleaseAll();
    }

    @Test
    void deliversTheLastBytesBeforeTheEnd() {
        // Given
        feed("!last");
        opening.handOver();
        channel.pipeline().addLast(new Owner());
        // When
        channel.finish();
        // Then
        assertThat(seen).containsExactly("parsed", "read last", "inactive");
    }

    @Test
    void releasesWhatNobodyTook() {
        // Given
        ByteBuf in = feed("!kept");
        // When
        channel.finish();
        // Then
        assertThat(seen).containsExactly("parsed", "failed null");
        assertThat(in.refCnt()).isZero();
    }

    @Test
    void releasesAnOpeningThatNeverEnded() {
        ByteBuf in = feed("half");
        channel.finish();
        assertThat(seen).containsExactly("failed null");
        assertThat(in.refCnt()).isZero();
    }
}
