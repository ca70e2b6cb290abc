package io.quantadb.node.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class ApiHandlerTest {
    private static final String GET = "GET /cluster/health HTTP/1.1\r\nHost: x\r\n\r\n";

    @Test
    void answersARequestThatComesOneByteAtATime() {
        // Given
        EmbeddedChannel channel = channel();

        // When
        for (byte b : GET.getBytes(StandardCharsets.US_ASCII)) {
            channel.writeInbound(Unpooled.wrappedBuffer(new byte[] {b}));
        }

        // Then
        assertThat(answer(channel)).startsWith("HTTP/1.1 200 OK\r\n").contains("\"status\": \"degraded\"");
        assertThat(channel.isActive()).isTrue();
    }

    @Test
    void answersPipelinedRequestsInOrder() {
        // Given
        EmbeddedChannel channel = channel();

        // When
        channel.writeInbound(bytes("GET /cluster/status HTTP/1.1\r\n\r\nGET /nothing HTTP/1.1\r\n\r\n"));

        // Then
        String answers = answer(channel);
        assertThat(answers.indexOf("200 OK")).isLessThan(answers.indexOf("404 Not Found"));
        assertThat(answers).contains("\"error\": \"there is nothing at this path\"", "\"hint\": \"use GET /cluster/");
    }

    @ParameterizedTest(name = "{0} {1} gives {2}")
    @CsvSource({
        "POST,/cluster/status,405",
        "DELETE,/cluster/nodes,405",
        "GET,/,404",
        "GET,/cluster/statusx,404",
        "GET,/cluster/status?x=1,200",
        "HEAD,/cluster/status,200"
    })
    void mapsMethodAndPathToAStatus(String method, String path, int status) {
        // Given
        EmbeddedChannel channel = channel();

        // When
        channel.writeInbound(bytes(method + " " + path + " HTTP/1.1\r\nContent-Length: 0\r\n\r\n"));

        // Then
        String answer = answer(channel);
        assertThat(answer).startsWith("HTTP/1.1 " + status);
        if (status == 405) {
            assertThat(answer).contains("allow: GET, HEAD");
        }
    }

    @Test
    void refusesARequestLineThatIsTooLong() {
        // Given
        EmbeddedChannel channel = channel();

        // When
        channel.writeInbound(bytes("GET /" + "a".repeat(ApiServer.URI_BYTES_MAX + 1) + " HTTP/1.1\r\n\r\n"));

        // Then
        assertThat(answer(channel)).startsWith("HTTP/1.1 414").contains("the request line is too long");
        assertThat(channel.isActive()).isFalse();
    }

    @Test
    void refusesHeadersThatAreTooLarge() {
        // Given
        EmbeddedChannel channel = channel();

        // When
        channel.writeInbound(bytes("GET / HTTP/1.1\r\nX: " + "a".repeat(ApiServer.HEADER_BYTES_MAX + 1) + "\r\n\r\n"));

        // Then
        assertThat(answer(channel)).startsWith("HTTP/1.1 431");
        assertThat(channel.isActive()).isFalse();
    }

    @Test
    void refusesABodyThatIsTooLargeBeforeItIsComplete() {
        // Given
        EmbeddedChannel channel = channel();
        channel.writeInbound(bytes("GET /cluster/status HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n"));

        // When
        for (int i = 0; i < 17 && channel.isActive(); i++) {
            channel.writeInbound(Unpooled.wrappedBuffer(new byte[4096]));
        }

        // Then
        assertThat(answer(channel)).startsWith("HTTP/1.1 413");
        assertThat(channel.isActive()).isFalse();
    }

    @Test
    void closesAConnectionThatCompletesNoRequestInTime() {
        // Given
        EmbeddedChannel channel = channel();
        channel.freezeTime();
        channel.writeInbound(bytes("GET /cluster/sta"));

        // When
        channel.advanceTimeBy(ApiServer.REQUEST_DEADLINE.toMillis() + 1, TimeUnit.MILLISECONDS);
        channel.writeInbound(bytes("t"));
        channel.runScheduledPendingTasks();

        // Then
        assertThat(channel.isActive()).isFalse();
    }

    @Test
    void saysSoWhenTheStateCannotBeTold() {
        // Given
        EmbeddedChannel channel = new EmbeddedChannel();
        add(channel, () -> {
            throw new IllegalStateException("secret detail");
        });

        // When
        channel.writeInbound(bytes(GET));

        // Then
        assertThat(answer(channel)).startsWith("HTTP/1.1 500").doesNotContain("secret");
    }

    @ParameterizedTest(name = "seed={0}")
    @MethodSource("seeds")
    @Timeout(20)
    void survivesAnyBytes(long seed) {
        // Given
        Random random = new Random(seed);
        EmbeddedChannel channel = channel();
        long answered = 0;

        // When
        try {
            for (int i = 0; i < 40 && channel.isActive(); i++) {
                channel.writeInbound(Unpooled.wrappedBuffer(mutated(random)));
                channel.runPendingTasks();
                String answer = answer(channel);
                assertThat(answer).as("answer, seed %d", seed).matches(whole -> whole.isEmpty() || isHttp(whole));
                answered += answer.length();
            }
        } catch (RuntimeException e) {
            fail("seed " + seed, e);
        }

        // Then
        assertThat(answered).as("bytes answered, seed %d", seed).isLessThan(64L * 1024 * 40);
        channel.finishAndReleaseAll();
        EmbeddedChannel next = channel();
        next.writeInbound(bytes(GET));
        assertThat(answer(next)).startsWith("HTTP/1.1 200 OK");
        next.finishAndReleaseAll();
    }

    private static boolean isHttp(String answer) {
        return answer.startsWith("HTTP/1.1 ") && answer.contains("\r\n\r\n");
    }

    static LongStream seeds() {
        return LongStream.range(0, 200);
    }

    private static byte[] mutated(Random random) {
        String[] bases = {
            GET,
            "POST /cluster/status HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            "GET /cluster/nodes HTTP/1.0\r\n\r\n",
            "GET /cluster/status HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
            "PUT / HTTP/9.9\r\nExpect: 100-continue\r\nContent-Length: 99999999999\r\n\r\n"
        };
        byte[] bytes = bases[random.nextInt(bases.length)].getBytes(StandardCharsets.US_ASCII);
        for (int flips = random.nextInt(4); flips > 0; flips--) {
            bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
        }
        if (random.nextInt(8) == 0) {
            byte[] noise = new byte[random.nextInt(10_000)];
            random.nextBytes(noise);
            return noise;
        }
        return java.util.Arrays.copyOf(bytes, 1 + random.nextInt(bytes.length));
    }

    private static EmbeddedChannel channel() {
        EmbeddedChannel channel = new EmbeddedChannel();
        add(channel, TestingViews::primary);
        // The channel was active before its handlers came; tell them, as a real one would.
        channel.pipeline().fireChannelActive();
        return channel;
    }

    private static void add(EmbeddedChannel channel, Supplier<ClusterView> views) {
        ApiServer.addHttp(
                channel.pipeline(), new ApiRouter(views, Probes.of(views), Founder.none("no")), Gatekeeper.readOnly());
    }

    private static ByteBuf bytes(String text) {
        return Unpooled.copiedBuffer(text, StandardCharsets.US_ASCII);
    }

    private static String answer(EmbeddedChannel channel) {
        StringBuilder out = new StringBuilder();
        for (ByteBuf part = channel.readOutbound(); part != null; part = channel.readOutbound()) {
            out.append(part.toString(StandardCharsets.UTF_8));
            part.release();
        }
        return out.toString();
    }
}
