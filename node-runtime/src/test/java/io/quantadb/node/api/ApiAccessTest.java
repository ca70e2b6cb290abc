package io.quantadb.node.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ApiAccessTest {
    private static final String PERMISSION = "{\"cluster\":\"u-1\"}";

    private final List<String> founded = new ArrayList<>();
    private final CompletableFuture<Founder.Outcome> outcome = new CompletableFuture<>();

    @ParameterizedTest(name = "{1} {2} by {0} gives {3}")
    @CsvSource({
        "ANYBODY,GET,/livez,200",
        "ANYBODY,GET,/readyz,200",
        "ANYBODY,GET,/startupz,200",
        "ANYBODY,GET,/cluster/status,401",
        "ANYBODY,GET,/cluster/nodes,401",
        "ANYBODY,GET,/cluster/health,401",
        "ANYBODY,POST,/cluster/bootstrap,401",
        "VIEWER,GET,/cluster/status,200",
        "VIEWER,POST,/cluster/bootstrap,403",
        "NODE,GET,/cluster/nodes,200",
        "NODE,POST,/cluster/bootstrap,403",
        "OPERATOR,GET,/cluster/health,200",
        "OPERATOR,POST,/cluster/bootstrap,200",
        "OPERATOR,GET,/cluster/bootstrap,405",
        "ANYBODY,GET,/cluster/switchover,401",
        "ANYBODY,POST,/cluster/switchover,401",
        "VIEWER,GET,/cluster/switchover,200",
        "VIEWER,POST,/cluster/switchover,403",
        "NODE,POST,/cluster/switchover,403",
        "OPERATOR,PUT,/cluster/switchover,405",
        "OPERATOR,POST,/livez,405"
    })
    void asksEachRouteForItsRole(Caller.Role role, String method, String path, int status) {
        // Given
        outcome.complete(new Founder.Outcome.Exists("u-1.0", 7, true));
        EmbeddedChannel channel = channel(role);

        // When
        channel.writeInbound(request(method, path, method.equals("POST") ? PERMISSION : ""));

        // Then
        assertThat(answer(channel)).startsWith("HTTP/1.1 " + status + " ");
        assertThat(founded).hasSize(path.equals("/cluster/bootstrap") && status == 200 ? 1 : 0);
    }

    @ParameterizedTest(name = "body {index}")
    @CsvSource(
            delimiter = ';',
            value = {
                "''",
                "[]",
                "{}",
                "{\"cluster\":7}",
                "{\"cluster\":\"\"}",
                "{\"cluster\":\"a b\"}",
                "{\"cluster\":\"a.b\"}",
                "{\"cluster\":\"u\",\"force\":true}",
                "{\"cluster\":\"u\"} x",
                "{\"cluster\":\"u\""
            })
    void refusesABodyThatIsNotAPermission(String body) {
        // Given
        EmbeddedChannel channel = channel(Caller.Role.OPERATOR);

        // When
        channel.writeInbound(request("POST", "/cluster/bootstrap", body));

        // Then
        assertThat(answer(channel)).startsWith("HTTP/1.1 400 ").contains("\"hint\"");
        assertThat(founded).isEmpty();
    }

    @Test
    void refusesABodyThatIsTooLargeForAPermission() {
        // Given
        EmbeddedChannel channel = channel(Caller.Role.OPERATOR);

        // When
        channel.writeInbound(request("POST", "/cluster/bootstrap", "x".repeat(4097)));

        // Then
        assertThat(answer(channel)).startsWith("HTTP/1.1 413 ");
        assertThat(channel.isActive()).isFalse();
    }

    @Test
    void answersAChangeWhenItWasMadeAndEndsTheConnection() {
        // Given
        EmbeddedChannel channel = channel(Caller.Role.OPERATOR);
        channel.writeInbound(request("POST", "/cluster/bootstrap", PERMISSION));
        assertThat(answer(channel)).isEmpty();
        assertThat(channel.isActive()).isTrue();

        // When
        outcome.complete(new Founder.Outcome.Exists("u-1.0", 7, true));
        channel.runPendingTasks();

        // Then
        assertThat(founded).containsExactly("u-1 by admin");
        assertThat(answer(channel)).startsWith("HTTP/1.1 200 ").contains("\"founded\": true");
        assertThat(channel.isActive()).isFalse();
    }

    private EmbeddedChannel channel(Caller.Role role) {
        EmbeddedChannel channel = new EmbeddedChannel();
        ApiServer.addHttp(
                channel.pipeline(),
                new ApiRouter(TestingViews::primary, Probes.of(TestingViews::primary), (uid, caller) -> {
                    founded.add(uid + " by " + caller);
                    return outcome;
                }),
                (certificate, authorization) -> new Caller("admin", role));
        channel.pipeline().fireChannelActive();
        return channel;
    }

    private static ByteBuf request(String method, String path, String body) {
        return Unpooled.copiedBuffer(
                "%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s"
                        .formatted(method, path, body.length(), body),
                StandardCharsets.US_ASCII);
    }

    private static String answer(EmbeddedChannel channel) {
        channel.runPendingTasks();
        StringBuilder out = new StringBuilder();
        for (ByteBuf part = channel.readOutbound(); part != null; part = channel.readOutbound()) {
            out.append(part.toString(StandardCharsets.UTF_8));
            part.release();
        }
        return out.toString();
    }
}
