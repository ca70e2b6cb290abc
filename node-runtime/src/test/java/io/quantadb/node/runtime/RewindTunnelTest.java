package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.common.NodeException.LocalFault;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RewindTunnelTest {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final Pace UNLIMITED = new Pace(0, System::nanoTime);

    @TempDir
    private Path dir;

    /** What stands for the source's agent. */
    private ServerSocketChannel source;

    private final List<SocketChannel> arrived = new CopyOnWriteArrayList<>();

    @BeforeEach
    void listen() throws IOException {
        source = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        source.bind(UnixDomainSocketAddress.of(dir.resolve("source")));
        Thread.ofVirtual().start(() -> {
            try {
                while (true) {
                    arrived.add(source.accept());
                }
            } catch (IOException e) {
                // The test is over.
            }
        });
    }

    @AfterEach
    void close() throws IOException {
        source.close();
        for (SocketChannel one : arrived) {
            one.close();
        }
    }

    @Test
    void carriesBytesBothWaysAndCountsWhatCameFromTheSource() throws Exception {
        // Given
        try (RewindTunnel tunnel = RewindTunnel.listen(dir.resolve("here"), this::dial, UNLIMITED);
                SocketChannel client = connect()) {
            // When
            write(client, "question");
            await().atMost(SOON).until(() -> arrived.size() == 1);
            assertThat(read(arrived.getFirst(), 8)).isEqualTo("question");
            write(arrived.getFirst(), "answer");

            // Then
            assertThat(read(client, 6)).isEqualTo("answer");
            assertThat(tunnel.bytes()).isEqualTo(6);
        }
    }

    @Test
    void whatComesFromTheSourceTakesAtLeastAsLongAsItsRateAsks() throws Exception {
        // Given
        long began = System.nanoTime();
        try (RewindTunnel tunnel =
                        RewindTunnel.listen(dir.resolve("here"), this::dial, new Pace(1_000, System::nanoTime));
                SocketChannel client = connect()) {
            await().atMost(SOON).until(() -> arrived.size() == 1);

            // When
            write(arrived.getFirst(), "x".repeat(400));
            assertThat(read(client, 400)).hasSize(400);

            // Then
            assertThat(Duration.ofNanos(System.nanoTime() - began)).isGreaterThanOrEqualTo(Duration.ofMillis(400));
            assertThat(tunnel.bytes()).isEqualTo(400);
        }
    }

    @Test
    void endsAConnectionWhenEitherSideDoes() throws Exception {
        // Given
        try (RewindTunnel tunnel = RewindTunnel.listen(dir.resolve("here"), this::dial, UNLIMITED);
                SocketChannel first = connect();
                SocketChannel second = connect()) {
            await().atMost(SOON).until(() -> arrived.size() == 2);
            assertThat(tunnel.trouble()).isEmpty();
            write(first, "1");
            write(second, "2");
            boolean inOrder = read(arrived.getFirst(), 1).equals("1");
            SocketChannel sourceOfFirst = arrived.get(inOrder ? 0 : 1);
            SocketChannel sourceOfSecond = arrived.get(inOrder ? 1 : 0);
            if (inOrder) {
                assertThat(read(sourceOfSecond, 1)).isEqualTo("2");
            } else {
                assertThat(read(sourceOfFirst, 1)).isEqualTo("1");
            }

            // When
            sourceOfFirst.close();
            second.close();

            // Then
            assertThat(first.read(ByteBuffer.allocate(1))).isNegative();
            assertThat(sourceOfSecond.read(ByteBuffer.allocate(1))).isNegative();
        }
    }

    @Test
    void aConnectionThatFindsNoWayIsClosedAndTheReasonKept() throws Exception {
        // Given
        try (RewindTunnel tunnel = RewindTunnel.listen(
                        dir.resolve("here"),
                        () -> {
                            throw new LocalFault("node2 does not let this node rewind");
                        },
                        UNLIMITED);
                SocketChannel client = connect()) {
            // When
            int count = client.read(ByteBuffer.allocate(1));

            // Then
            assertThat(count).isNegative();
            assertThat(tunnel.trouble()).isEqualTo("node2 does not let this node rewind");
        }
    }

    @Test
    void closingEndsWhatIsOpenAndLeavesNoSocketBehind() throws Exception {
        // Given
        RewindTunnel tunnel = RewindTunnel.listen(dir.resolve("here"), this::dial, UNLIMITED);
        SocketChannel client = connect();
        await().atMost(SOON).until(() -> arrived.size() == 1);

        // When
        tunnel.close();

        // Then
        assertThat(client.read(ByteBuffer.allocate(1))).isNegative();
        assertThat(arrived.getFirst().read(ByteBuffer.allocate(1))).isNegative();
        assertThat(dir.resolve("here")).doesNotExist();
        client.close();
    }

    @Test
    void takesThePlaceOfASocketThatAnEarlierAgentLeft() throws Exception {
        // Given
        Files.createFile(dir.resolve("here"));

        // When
        try (RewindTunnel tunnel = RewindTunnel.listen(dir.resolve("here"), this::dial, UNLIMITED);
                SocketChannel client = connect()) {
            write(client, "x");

            // Then
            await().atMost(SOON).until(() -> arrived.size() == 1);
            assertThat(tunnel.bytes()).isZero();
        }
    }

    private ByteChannel dial() {
        try {
            return SocketChannel.open(UnixDomainSocketAddress.of(dir.resolve("source")));
        } catch (IOException e) {
            throw new LocalFault("the source is not there", e);
        }
    }

    private SocketChannel connect() throws IOException {
        return SocketChannel.open(UnixDomainSocketAddress.of(dir.resolve("here")));
    }

    private static void write(SocketChannel to, String text) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
        while (bytes.hasRemaining()) {
            to.write(bytes);
        }
    }

    private static String read(SocketChannel from, int count) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(count);
        while (bytes.hasRemaining()) {
            if (from.read(bytes) < 0) {
                break;
            }
        }
        return new String(bytes.array(), 0, bytes.position(), StandardCharsets.US_ASCII);
    }
}
