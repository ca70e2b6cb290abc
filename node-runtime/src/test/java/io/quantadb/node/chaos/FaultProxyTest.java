package io.quantadb.node.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class FaultProxyTest {
    private static final int QUIET_MS = 150;
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final Link THERE = new Link(0, 1);
    private static final Link BACK = new Link(1, 0);
    private static final InetAddress SOURCE = InetAddress.ofLiteral("127.0.0.2");

    private final List<Socket> sockets = new ArrayList<>();
    private FaultProxy proxy;
    private ServerSocket server;

    /** Both ends of a connection through the proxy. */
    private record Ends(Socket dialler, Socket acceptor) {}

    @BeforeEach
    void listen() throws Exception {
        server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
        server.setSoTimeout((int) SOON.toMillis());
        proxy = new FaultProxy(1);
        proxy.listen(new Route(
                0,
                1,
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                new InetSocketAddress(InetAddress.getLoopbackAddress(), server.getLocalPort()),
                new InetSocketAddress(SOURCE, 0)));
    }

    @AfterEach
    void end() throws Exception {
        for (Socket socket : sockets) {
            socket.close();
        }
        server.close();
        proxy.close();
    }

    private Socket dial() throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), proxy.port());
        socket.setSoTimeout((int) SOON.toMillis());
        sockets.add(socket);
        return socket;
    }

    private Socket accept() throws IOException {
        Socket socket = server.accept();
        socket.setSoTimeout((int) SOON.toMillis());
        sockets.add(socket);
        return socket;
    }

    private Ends connect() throws IOException {
        Socket dialler = dial();
        return new Ends(dialler, accept());
    }

    private static void assertSilent(Socket socket) throws IOException {
        int before = socket.getSoTimeout();
        socket.setSoTimeout(QUIET_MS);
        assertThatThrownBy(() -> socket.getInputStream().read()).isInstanceOf(SocketTimeoutException.class);
        socket.setSoTimeout(before);
    }

    @Test
    void passesBytesBothWaysAndComesFromItsSourceAddress() throws Exception {
        // Given
        Ends ends = connect();

        // When
        ends.dialler().getOutputStream().write(new byte[] {1, 2, 3});
        ends.acceptor().getOutputStream().write(new byte[] {4, 5});

        // Then
        assertThat(ends.acceptor().getInputStream().readNBytes(3)).containsExactly(1, 2, 3);
        assertThat(ends.dialler().getInputStream().readNBytes(2)).containsExactly(4, 5);
        assertThat(ends.acceptor().getInetAddress()).isEqualTo(SOURCE);
        assertThat(proxy.bytes(THERE)).isEqualTo(3);
        assertThat(proxy.bytes(BACK)).isEqualTo(2);
    }

    @Test
    void passesTheEndOfAConnectionOnBehindItsLastByte() throws Exception {
        // Given
        Ends ends = connect();
        byte[] much = new byte[3_000_000];
        Arrays.fill(much, (byte) 7);

        // When
        Thread.ofVirtual().start(() -> {
            try {
                ends.dialler().getOutputStream().write(much);
                ends.dialler().close();
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        });

        // Then
        assertThat(ends.acceptor().getInputStream().readAllBytes()).isEqualTo(much);
        await().atMost(SOON).until(() -> proxy.connections() == 0);
    }

    @Test
    void delaysOneDirectionAndNotTheOther() throws Exception {
        // Given
        Ends ends = connect();
        proxy.set(THERE, LinkFaults.delay(200, 0));

        // When
        long began = System.nanoTime();
        ends.dialler().getOutputStream().write(1);
        ends.acceptor().getOutputStream().write(2);
        int back = ends.dialler().getInputStream().read();
        long backAt = System.nanoTime() - began;
        int there = ends.acceptor().getInputStream().read();
        long thereAt = System.nanoTime() - began;

        // Then
        assertThat(List.of(there, back)).containsExactly(1, 2);
        assertThat(thereAt).isGreaterThanOrEqualTo(TimeUnit.MILLISECONDS.toNanos(200));
        assertThat(backAt).isLessThan(thereAt);
    }

    @Test
    void keepsTheOrderUnderJitter() throws Exception {
        // Given
        Ends ends = connect();
        proxy.set(THERE, LinkFaults.delay(0, 20));
        byte[] sent = new byte[100];

        // When
        for (int i = 0; i < sent.length; i++) {
            sent[i] = (byte) i;
            ends.dialler().getOutputStream().write(sent[i]);
        }

        // Then
        assertThat(ends.acceptor().getInputStream().readNBytes(sent.length)).isEqualTo(sent);
    }

    @Test
    void aCutDirectionHoldsWhatIsSentAndDeliversItWhenMended() throws Exception {
        // Given
        Ends ends = connect();
        proxy.set(THERE, LinkFaults.severed());

        // When
        ends.dialler().getOutputStream().write(new byte[] {1, 2});
        ends.acceptor().getOutputStream().write(9);

        // Then the other direction goes on
        assertThat(ends.dialler().getInputStream().read()).isEqualTo(9);
        await().atMost(SOON).until(() -> proxy.heldBytes() == 2);
        assertSilent(ends.acceptor());
        proxy.set(THERE, LinkFaults.NONE);
        assertThat(ends.acceptor().getInputStream().readNBytes(2)).containsExactly(1, 2);
    }

    @Test
    void aCutDirectionHidesTheEndOfAConnectionToo() throws Exception {
        // Given
        Ends ends = connect();
        proxy.set(THERE, LinkFaults.severed());

        // When
        ends.dialler().close();

        // Then
        assertSilent(ends.acceptor());
        proxy.set(THERE, LinkFaults.NONE);
        assertThat(ends.acceptor().getInputStream().read()).isEqualTo(-1);
    }

    @Test
    void noConnectionComesAboutWhileEitherDirectionIsCut() throws Exception {
        for (Link cut : List.of(THERE, BACK)) {
            // Given
            proxy.set(cut, LinkFaults.severed());

            // When
            Socket dialler = dial();
            dialler.getOutputStream().write(5);

            // Then
            server.setSoTimeout(QUIET_MS);
            assertThatThrownBy(server::accept).isInstanceOf(SocketTimeoutException.class);
            server.setSoTimeout((int) SOON.toMillis());
            proxy.set(cut, LinkFaults.NONE);
            assertThat(accept().getInputStream().read()).isEqualTo(5);
        }
    }

    @Test
    void forgetsADiallerThatGaveUpBeforeTheLinkWasMended() throws Exception {
        // Given
        proxy.set(THERE, LinkFaults.severed());
        Socket dialler = dial();
        await().atMost(SOON).until(() -> proxy.connections() == 1);

        // When
        dialler.close();

        // Then
        await().atMost(SOON).until(() -> proxy.connections() == 0);
    }

    @Test
    void holdsOnlySoMuchAndThenPushesBack() throws Exception {
        // Given
        try (SocketChannel dialler =
                SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), proxy.port()))) {
            Socket acceptor = accept();
            proxy.set(THERE, LinkFaults.severed());
            dialler.configureBlocking(false);
            long[] sent = {0};

            // When nothing more is taken for a while
            await().atMost(SOON)
                    .pollInterval(Duration.ofMillis(20))
                    .during(Duration.ofMillis(200))
                    .until(() -> {
                        int count = dialler.write(ByteBuffer.allocate(64 * 1024));
                        sent[0] += count;
                        return count == 0 && proxy.heldBytes() >= Flow.HELD_MAX;
                    });

            // Then one piece may have been read past the bound
            assertThat(proxy.heldBytes()).isLessThanOrEqualTo(Flow.HELD_MAX + 128L * 1024);
            proxy.set(THERE, LinkFaults.NONE);
            dialler.configureBlocking(true);
            dialler.shutdownOutput();
            assertThat(acceptor.getInputStream().readAllBytes()).hasSize((int) sent[0]);
        }
    }

    @Test
    void resetsEveryConnectionOfALinkAndTakesNewOnes() throws Exception {
        // Given
        Ends first = connect();
        Ends second = connect();

        // When
        int count = proxy.reset(BACK);

        // Then
        assertThat(count).isEqualTo(2);
        for (Socket socket : List.of(first.dialler(), first.acceptor(), second.dialler(), second.acceptor())) {
            assertThatThrownBy(() -> socket.getInputStream().read()).isInstanceOf(SocketException.class);
        }
        Ends third = connect();
        third.dialler().getOutputStream().write(3);
        assertThat(third.acceptor().getInputStream().read()).isEqualTo(3);
    }

    @Test
    void aLinkThatLosesEverythingEndsAConnectionAtItsFirstPiece() throws Exception {
        // Given
        Ends ends = connect();
        proxy.set(THERE, LinkFaults.drop(1000));

        // When
        ends.acceptor().getOutputStream().write(1);
        int back = ends.dialler().getInputStream().read();
        ends.dialler().getOutputStream().write(1);

        // Then
        assertThat(back).isEqualTo(1);
        assertThatThrownBy(() -> ends.acceptor().getInputStream().read()).isInstanceOf(SocketException.class);
        assertThatThrownBy(() -> ends.dialler().getInputStream().read()).isInstanceOf(SocketException.class);
    }

    @Test
    void aNarrowLinkIsSharedByItsConnections() throws Exception {
        // Given
        Ends one = connect();
        Ends two = connect();
        proxy.set(THERE, LinkFaults.throttle(200_000));

        // When
        long began = System.nanoTime();
        one.dialler().getOutputStream().write(new byte[50_000]);
        two.dialler().getOutputStream().write(new byte[50_000]);
        int read = one.acceptor().getInputStream().readNBytes(50_000).length
                + two.acceptor().getInputStream().readNBytes(50_000).length;
        long took = System.nanoTime() - began;

        // Then
        assertThat(read).isEqualTo(100_000);
        assertThat(took).isGreaterThanOrEqualTo(TimeUnit.MILLISECONDS.toNanos(490));
    }

    @Test
    void whatWasOnItsWayThroughABadLinkHurriesWhenItIsMended() throws Exception {
        // Given
        Ends ends = connect();
        proxy.set(THERE, LinkFaults.throttle(10));
        ends.dialler().getOutputStream().write(new byte[1000]);
        await().atMost(SOON).until(() -> proxy.heldBytes() == 1000);

        // When
        proxy.set(THERE, LinkFaults.NONE);

        // Then not after the hundred seconds that it had to go
        assertThat(ends.acceptor().getInputStream().readNBytes(1000)).hasSize(1000);
    }

    @Test
    void resetsWhoDialsSomebodyWhoDoesNotListen() throws Exception {
        // Given
        server.close();

        // When
        Socket dialler = dial();

        // Then
        assertThatThrownBy(() -> dialler.getInputStream().read()).isInstanceOf(SocketException.class);
    }

    @Test
    void oneFaultDoesNotHideAnother() {
        // When
        LinkFaults both = LinkFaults.delay(100, 5)
                .and(LinkFaults.throttle(1000))
                .and(LinkFaults.throttle(500))
                .and(LinkFaults.drop(7));

        // Then
        assertThat(both).isEqualTo(new LinkFaults(100, 5, 7, 500, false));
        assertThat(both.and(LinkFaults.severed()).cut()).isTrue();
        assertThat(both.and(LinkFaults.NONE)).isEqualTo(both);
    }
}
