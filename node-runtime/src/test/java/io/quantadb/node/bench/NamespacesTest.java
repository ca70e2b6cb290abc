package io.quantadb.node.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** With the process tests, which want the same names: of those no two run at once in one JVM. */
@Tag("process")
class NamespacesTest {
    @Test
    void dropsPacketsOfANodeThatIsCutOffAndOfNoOther() throws Exception {
        // Given
        Assumptions.assumeTrue(Namespaces.missing().isEmpty(), Namespaces.missing());
        try (Namespaces network = Namespaces.create(2)) {
            // When
            network.cut(0);

            // Then
            assertThatThrownBy(() -> connect(0)).isInstanceOf(SocketTimeoutException.class);
            // Nobody listens there, and its kernel says so: it is reached.
            assertThatThrownBy(() -> connect(1)).isInstanceOf(java.net.ConnectException.class);

            // When
            network.join(0);

            // Then
            org.awaitility.Awaitility.await()
                    .atMost(10, TimeUnit.SECONDS)
                    .untilAsserted(
                            () -> assertThatThrownBy(() -> connect(0)).isInstanceOf(java.net.ConnectException.class));
        }
    }

    @Test
    void runsACommandInTheNodesOwnNetwork() throws Exception {
        // Given
        Assumptions.assumeTrue(Namespaces.missing().isEmpty(), Namespaces.missing());
        try (Namespaces network = Namespaces.create(1)) {
            List<String> command = new ArrayList<>(Namespaces.prefix(0));
            command.addAll(List.of("ip", "-o", "-4", "addr", "show", "eth0"));

            // When
            Process process = new ProcessBuilder(command).start();
            String said = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);

            // Then
            assertThat(network).isNotNull();
            assertThat(said).contains(Namespaces.host(0) + "/24");
        }
    }

    private static void connect(int node) throws java.io.IOException {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(Namespaces.host(node), 1), 300);
        }
    }
}
