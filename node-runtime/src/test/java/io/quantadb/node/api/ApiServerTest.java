package io.quantadb.node.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ApiServerTest {
    @Test
    void answersOverTcpWithinTheDeadline() throws Exception {
        // Given
        try (ApiServer server = new ApiServer("127.0.0.1", 0, TestingViews::primary);
                HttpClient client = HttpClient.newHttpClient()) {
            server.start();
            HttpRequest request = HttpRequest.newBuilder(URI.create("http://" + server.address() + "/cluster/nodes"))
                    .timeout(Duration.ofSeconds(5))
                    .build();

            // When
            HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());

            // Then
            assertThat(answer.statusCode()).isEqualTo(200);
            assertThat(answer.body()).contains("\"primary\": \"node1\"");
        }
    }

    @Test
    void closesConnectionsBeyondTheLimitAndTakesNewOnesAfterwards() throws Exception {
        // Given
        try (ApiServer server = new ApiServer("127.0.0.1", 0, TestingViews::primary)) {
            server.start();
            List<Socket> open = new ArrayList<>();
            for (int i = 0; i < ApiServer.CONNECTIONS_MAX; i++) {
                open.add(connect(server));
            }

            // When
            Socket oneMore = connect(server);

            // Then
            assertThat(oneMore.getInputStream().read()).isEqualTo(-1);
            for (Socket socket : open) {
                socket.close();
            }
            await().atMost(Duration.ofSeconds(5)).untilAsserted(() -> {
                try (Socket again = connect(server)) {
                    again.getOutputStream()
                            .write("GET /x HTTP/1.1\r\n\r\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
                    assertThat(again.getInputStream().read()).isEqualTo('H');
                }
            });
        }
    }

    @Test
    void saysWhichAddressIsTaken() throws Exception {
        // Given
        try (ApiServer first = new ApiServer("127.0.0.1", 0, TestingViews::primary)) {
            first.start();
            ApiServer second = new ApiServer("127.0.0.1", first.address().port(), TestingViews::primary);

            // When / Then
            assertThatThrownBy(second::start)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("127.0.0.1:" + first.address().port());
        }
    }

    @Test
    void refusesPlainHttpOnAnAddressThatOthersReach() {
        // When / Then
        assertThatThrownBy(() -> new ApiServer("0.0.0.0", 0, TestingViews::primary))
                .hasMessage("the API on 0.0.0.0 needs TLS: plain HTTP is for loopback addresses only");
    }

    private static Socket connect(ApiServer server) throws IOException {
        Socket socket =
                new Socket(InetAddress.getLoopbackAddress(), server.address().port());
        socket.setSoTimeout(5_000);
        return socket;
    }
}
