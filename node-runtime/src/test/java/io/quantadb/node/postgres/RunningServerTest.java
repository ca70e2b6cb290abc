package io.quantadb.node.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quantadb.node.pgwire.PgConnection;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class RunningServerTest {
    private final Path home = TestingNode.scratch();
    private final List<String> told = new CopyOnWriteArrayList<>();

    @AfterEach
    void remove() throws IOException {
        DirectoryTree.delete(home);
    }

    @Test
    @Timeout(30)
    void aServerThatEndsWhileItsFirstSessionIsOpenedIsNeverSaidToBeReady() throws Exception {
        // Given: a server that says it takes connections, and keeps whoever connects waiting
        Path socket = PgConnection.socketIn(home, 5432);
        Process process = new ProcessBuilder("sleep", "60").start();
        Files.writeString(home.resolve(PidFile.NAME), process.pid() + "\n\n\n\n\n\n\nready\n");
        var server = new RunningServer(process, StartMode.STANDBY, home, new Listener(), new AgentSessions(socket));
        try (ServerSocketChannel listening = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            listening.bind(UnixDomainSocketAddress.of(socket));
            server.watch();
            try (SocketChannel session = listening.accept()) {
                assertThat(session.isConnected()).isTrue();

                // When
                process.destroyForcibly();
                server.exited().get(10, TimeUnit.SECONDS);
            }
        }

        // Then
        assertThatThrownBy(() -> server.ready().get(10, TimeUnit.SECONDS)).hasMessageContaining("ended");
        server.gone().get(20, TimeUnit.SECONDS);
        assertThat(told).containsExactly("exit");
    }

    private final class Listener implements ServerListener {
        @Override
        public void onReady(StartMode mode) {
            told.add("ready");
        }

        @Override
        public void onExit(ServerExit exit) {
            told.add("exit");
        }

        @Override
        public void onWaitCancelled() {
            told.add("cancelled");
        }
    }
}
