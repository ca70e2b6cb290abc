package io.quantadb.node.pgwire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.DecoderException;
import io.quantadb.node.common.NodeException.ProtocolViolation;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class StartupDecoderTest {
    private final EmbeddedChannel channel = new EmbeddedChannel(new StartupDecoder());

    private static ByteBuf packet(int code, byte... rest) {
        return Unpooled.buffer().writeInt(8 + rest.length).writeInt(code).writeBytes(rest);
    }

    private void assertRefused(ByteBuf bytes, String sqlState, String words) {
        assertThatThrownBy(() -> channel.writeInbound(bytes))
                .isInstanceOf(DecoderException.class)
                .cause()
                .isInstanceOfSatisfying(ProtocolViolation.class, v -> {
                    assertThat(v.sqlState()).isEqualTo(sqlState);
                    assertThat(v).hasMessageContaining(words);
                });
        channel.finishAndReleaseAll();
    }

    @Test
    void readsAStartupMessageByteByByteAfterAnSslRequest() {
        // Given
        Map<String, String> parameters = new LinkedHashMap<>();
        parameters.put("user", "Jürgen");
        parameters.put("application_name", "");
        ByteBuf bytes = StartupMessage.of(parameters).encode();

        // When
        channel.writeInbound(Unpooled.wrappedBuffer(StartupDecoder.sslRequest()));
        while (bytes.isReadable()) {
            channel.writeInbound(bytes.readBytes(1));
        }

        // Then
        assertThat(channel.<Object>readInbound()).isEqualTo(new StartupPacket.SslRequest());
        StartupMessage message = channel.readInbound();
        assertThat(message).isEqualTo(new StartupMessage(0, parameters));
        assertThat(message.database()).isEqualTo("Jürgen");
        assertThat(message.isReplication()).isFalse();
        assertThat(message.with("replication", "true").isPhysicalReplication()).isTrue();
        assertThat(message.with("replication", "database").isPhysicalReplication())
                .isFalse();
        assertThat(message.without("application_name").parameters()).containsOnlyKeys("user");
        channel.finishAndReleaseAll();
    }

    @Test
    void leavesWhatFollowsTheStartupMessageToTheNextHandler() {
        // Given
        ByteBuf both =
                Unpooled.wrappedBuffer(StartupMessage.of(Map.of("user", "a")).encode(), Messages.query("SELECT 1"));

        // When
        channel.writeInbound(both);
        StartupPacket first = channel.readInbound();
        channel.pipeline().addLast(new FrameDecoder(Limits.SESSION));
        channel.pipeline().remove(StartupDecoder.class);

        // Then
        assertThat(first).isInstanceOf(StartupMessage.class);
        Frame query = channel.readInbound();
        assertThat(query.tag()).isEqualTo('Q');
        query.release();
        channel.finishAndReleaseAll();
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 32, 256})
    void readsACancelRequestWithAKeyOfAnyLegalLength(int keyBytes) {
        // Given
        BackendKeyData key = new BackendKeyData(4711, new byte[keyBytes]);

        // When
        channel.writeInbound(key.encodeCancelRequest());

        // Then
        assertThat(channel.<Object>readInbound())
                .isEqualTo(new StartupPacket.CancelRequest(4711, key.key()))
                .hasToString("CancelRequest[pid=4711]");
        channel.finishAndReleaseAll();
    }

    @Test
    void seesATlsHandshakeThatComesFirst() {
        // When
        channel.writeInbound(Unpooled.wrappedBuffer(new byte[] {0x16, 3, 1, 2, 0}));

        // Then
        assertThat(channel.<Object>readInbound()).isEqualTo(new StartupPacket.DirectTls());
        channel.pipeline().remove(StartupDecoder.class);
        ByteBuf untouched = channel.readInbound();
        assertThat(untouched.readableBytes()).isEqualTo(5);
        untouched.release();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 7, 10_005, -1})
    void refusesALengthOutsideTheLimits(int lengthBytes) {
        assertRefused(Unpooled.buffer().writeInt(lengthBytes), "08P01", "invalid length of startup packet");
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 257})
    void refusesACancelKeyOutsideTheLimits(int keyBytes) {
        assertRefused(packet(StartupPacket.CANCEL_REQUEST_CODE, new byte[4 + keyBytes]), "08P01", "cancel request");
    }

    @Test
    void refusesPlainBytesBehindAnSslRequest() {
        assertRefused(Unpooled.wrappedBuffer(StartupDecoder.sslRequest(), new byte[] {1}), "08P01", "unencrypted data");
    }

    @Test
    void refusesASecondSslRequest() {
        channel.writeInbound(Unpooled.wrappedBuffer(StartupDecoder.sslRequest()));
        assertRefused(Unpooled.wrappedBuffer(StartupDecoder.sslRequest()), "08P01", "invalid SSL request");
    }

    @Test
    void refusesOtherMajorVersions() {
        assertRefused(packet(2 << 16), "0A000", "unsupported frontend protocol 2.0");
    }

    @ParameterizedTest
    @ValueSource(strings = {"user\0a\0", "user\0", "user", "user\0a\0\0x", ""})
    void refusesParametersWithoutTheirTerminator(String body) {
        assertRefused(packet(3 << 16, body.getBytes(StandardCharsets.UTF_8)), "08P01", "");
    }

    @Test
    void refusesWhatIsNotUtf8() {
        assertRefused(packet(3 << 16, (byte) 'u', (byte) 0xff, (byte) 0, (byte) 0, (byte) 0), "22021", "UTF-8");
    }

    static LongStream seeds() {
        return LongStream.range(0, 200);
    }

    @ParameterizedTest(name = "seed={0}")
    @MethodSource("seeds")
    void answersNoiseWithAPacketOrAViolation(long seed) {
        // Given
        SplittableRandom random = new SplittableRandom(seed);
        byte[] rest = new byte[random.nextInt(300)];
        random.nextBytes(rest);
        int[] codes = {3 << 16, 3 << 16 | 2, StartupPacket.CANCEL_REQUEST_CODE, random.nextInt()};
        ByteBuf bytes = packet(codes[random.nextInt(codes.length)], rest);
        Throwable thrown = null;

        // When
        try {
            channel.writeInbound(bytes);
        } catch (DecoderException e) {
            thrown = e.getCause();
        }

        // Then
        Object read = channel.readInbound();
        assertThat(read == null).isNotEqualTo(thrown == null);
        assertThat(thrown == null || thrown instanceof ProtocolViolation).isTrue();
        channel.finishAndReleaseAll();
    }
}
