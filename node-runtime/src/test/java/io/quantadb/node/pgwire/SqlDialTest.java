package io.quantadb.node.pgwire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quantadb.node.common.HostPort;
import io.quantadb.node.testing.TestingCertificates;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SqlDialTest {
    private static final Duration WAIT = Duration.ofSeconds(10);
    private static final String PASSWORD = "pencil";

    /** What a server does with one connection. */
    private interface Script {
        void serve(DataInputStream in, DataOutputStream out) throws IOException;
    }

    /** Serves one connection by the script, and tells all that the client sent after it. */
    private static CompletableFuture<byte[]> serve(ServerSocket server, Script script) {
        return CompletableFuture.supplyAsync(() -> {
            try (Socket socket = server.accept()) {
                DataOutputStream out = new DataOutputStream(socket.getOutputStream());
                DataInputStream in = new DataInputStream(socket.getInputStream());
                script.serve(in, out);
                out.flush();
                return in.readAllBytes();
            } catch (IOException e) {
                return new byte[0];
            }
        });
    }

    private static PgConnection open(ServerSocket server, SqlDial dial, Duration wait) {
        return dial.open(
                new HostPort("127.0.0.1", server.getLocalPort()),
                Map.of("user", "u", "database", "d"),
                new PasswordLogin("u", PASSWORD),
                wait);
    }

    private static ServerSocket listen() throws IOException {
        return new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    }

    /** Takes the TLS request, says no, and takes the start-up packet. */
    private static void withoutTls(DataInputStream in, DataOutputStream out) throws IOException {
        assertThat(in.readInt()).isEqualTo(8);
        assertThat(in.readInt()).isEqualTo(80_877_103);
        out.writeByte('N');
        out.flush();
        in.skipNBytes(in.readInt() - 4L);
    }

    private static void message(DataOutputStream out, char tag, byte[] body) throws IOException {
        out.writeByte(tag);
        out.writeInt(4 + body.length);
        out.write(body);
        out.flush();
    }

    private static byte[] authentication(int method, String rest) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeInt(method);
        out.write(rest.getBytes(StandardCharsets.UTF_8));
        return bytes.toByteArray();
    }

    @Test
    void opensASessionWhereNoPasswordIsWanted() throws Exception {
        try (ServerSocket server = listen()) {
            // Given
            var _ = serve(server, (in, out) -> {
                withoutTls(in, out);
                message(out, 'R', authentication(0, ""));
                message(out, 'Z', new byte[] {'I'});
            });

            // When
            try (PgConnection session = open(server, SqlDial.preferringTls(), WAIT)) {
                // Then
                assertThat(session.isOpen()).isTrue();
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "3,'',authentication method 3",
        "5,'1234',authentication method 5",
        "10,'SCRAM-SHA-256-PLUS',offers no SCRAM-SHA-256 but SCRAM-SHA-256-PLUS"
    })
    void answersNoRequestThatWouldGiveThePasswordAway(int method, String rest, String words) throws Exception {
        try (ServerSocket server = listen()) {
            // Given
            CompletableFuture<byte[]> sent = serve(server, (in, out) -> {
                withoutTls(in, out);
                message(out, 'R', authentication(method, rest + "\0\0"));
            });

            // When / Then
            assertThatThrownBy(() -> open(server, SqlDial.preferringTls(), WAIT))
                    .isInstanceOf(PgUnreachable.class)
                    .hasMessageContaining(words);
            assertThat(new String(sent.get(10, TimeUnit.SECONDS), StandardCharsets.ISO_8859_1))
                    .doesNotContain(PASSWORD)
                    .doesNotContain("md5");
        }
    }

    @Test
    void refusesAServerThatBeginsAnExchangeAndDoesNotEndIt() throws Exception {
        try (ServerSocket server = listen()) {
            // Given
            var _ = serve(server, (in, out) -> {
                withoutTls(in, out);
                message(out, 'R', authentication(10, "SCRAM-SHA-256\0\0"));
                in.skipNBytes(1);
                in.skipNBytes(in.readInt() - 4L);
                message(out, 'R', authentication(0, ""));
                message(out, 'Z', new byte[] {'I'});
            });

            // When / Then
            assertThatThrownBy(() -> open(server, SqlDial.preferringTls(), WAIT))
                    .isInstanceOf(PgUnreachable.class)
                    .hasMessageContaining("without proving");
        }
    }

    @Test
    void doesNotGoOnInTheClearWhereTlsWasAskedFor() throws Exception {
        try (ServerSocket server = listen()) {
            // Given
            CompletableFuture<byte[]> sent = serve(server, (in, out) -> {
                in.skipNBytes(8);
                out.writeByte('N');
            });

            // When / Then
            SqlDial dial = SqlDial.requiring((SSLSocketFactory) SSLSocketFactory.getDefault());
            assertThatThrownBy(() -> open(server, dial, WAIT))
                    .isInstanceOf(PgUnreachable.class)
                    .hasMessageContaining("offers no TLS");
            assertThat(sent.get(10, TimeUnit.SECONDS)).isEmpty();
        }
    }

    @Test
    void givesUpOnWhoIsSilent() throws Exception {
        try (ServerSocket server = listen()) {
            // Given
            var _ = serve(server, (in, out) -> in.skipNBytes(8));

            // When / Then
            assertThatThrownBy(() -> open(server, SqlDial.preferringTls(), Duration.ofMillis(100)))
                    .isInstanceOf(PgUnreachable.class);
        }
    }

    @Test
    void givesUpOnWhoSpeaksSomethingElse() throws Exception {
        try (ServerSocket server = listen()) {
            // Given
            var _ = serve(server, (in, out) -> {
                in.skipNBytes(8);
                out.write("HTTP/1.1 400\r\n".getBytes(StandardCharsets.US_ASCII));
            });

            // When / Then
            assertThatThrownBy(() -> open(server, SqlDial.preferringTls(), WAIT))
                    .isInstanceOf(PgUnreachable.class)
                    .hasMessageContaining("does not speak PostgreSQL's protocol");
        }
    }

    @Test
    void speaksTlsAndTrustsAnybodyOnlyWhereNoAuthorityIsNamed() throws Exception {
        // Given
        KeyPair key = KeyPairGenerator.getInstance("EC").generateKeyPair();
        X509Certificate certificate = TestingCertificates.issue(
                "CN=here", key.getPublic(), "CN=here", key.getPrivate(), Instant.EPOCH, Duration.ofDays(365 * 200L));

        // When / Then
        assertThat(opens(key, certificate, SqlDial.preferringTls())).isTrue();
        assertThat(opens(
                        key,
                        certificate,
                        SqlDial.requiring(trusting(certificate).getSocketFactory())))
                .isTrue();
        SqlDial stranger = SqlDial.requiring((SSLSocketFactory) SSLSocketFactory.getDefault());
        assertThatThrownBy(() -> opens(key, certificate, stranger)).isInstanceOf(PgUnreachable.class);
    }

    private static boolean opens(KeyPair key, X509Certificate certificate, SqlDial dial) throws Exception {
        KeyStore own = KeyStore.getInstance("PKCS12");
        own.load(null, null);
        own.setKeyEntry("own", key.getPrivate(), new char[0], new X509Certificate[] {certificate});
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(own, new char[0]);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        try (ServerSocket server = listen()) {
            CompletableFuture<Void> served = CompletableFuture.runAsync(() -> serveTls(server, context));
            try (PgConnection session = open(server, dial, WAIT)) {
                return session.isOpen();
            } finally {
                // Else a refused handshake could still be under way when the next one begins.
                served.get(10, TimeUnit.SECONDS);
            }
        }
    }

    /** Lets one client in over TLS; one that does not want it any more after the handshake is none. */
    private static void serveTls(ServerSocket server, SSLContext context) {
        try (Socket plain = server.accept()) {
            plain.getInputStream().skipNBytes(8);
            plain.getOutputStream().write('S');
            SSLSocket tls = (SSLSocket) context.getSocketFactory().createSocket(plain, "client", 1, true);
            tls.setUseClientMode(false);
            DataInputStream in = new DataInputStream(tls.getInputStream());
            DataOutputStream out = new DataOutputStream(tls.getOutputStream());
            in.skipNBytes(in.readInt() - 4L);
            message(out, 'R', authentication(0, ""));
            message(out, 'Z', new byte[] {'I'});
            in.readAllBytes();
        } catch (IOException e) {
            return;
        }
    }

    private static SSLContext trusting(X509Certificate authority) throws Exception {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("ca", authority);
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }
}
