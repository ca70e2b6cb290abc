package io.quantadb.node.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quantadb.node.common.HostPort;
import io.quantadb.node.pgwire.ScramExchange;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SqlSessionTest {
    /** What a server does with one connection. */
    private interface Script {
        void serve(DataInputStream in, DataOutputStream out) throws IOException;
    }

    @Test
    void provesThePasswordAsTheStandardsExampleDoes() throws Exception {
        // Given
        ScramExchange client = new ScramExchange("user", "pencil", () -> "rOprNGfwEbeRWgbNEkqO");
        String first = client.first();

        // When
        String last =
                client.last("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");

        // Then
        assertThat(first).isEqualTo("n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        assertThat(last)
                .isEqualTo("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                        + "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
        client.requireProof("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }

    @ParameterizedTest
    @ValueSource(strings = {"v=AAAA", "v=", "e=other-error", "x=1", ""})
    void refusesAServerThatDoesNotProveThatItKnowsThePassword(String serverFinal) throws Exception {
        // Given
        ScramExchange client = new ScramExchange("user", "pencil", () -> "mine");
        assertThat(client.first()).isEqualTo("n,,n=user,r=mine");
        assertThat(client.last("r=mine1,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")).startsWith("c=biws,r=mine1,p=");

        // When / Then
        assertThatThrownBy(() -> client.requireProof(serverFinal)).isInstanceOf(IOException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "r=yours,s=AAAA,i=4096",
                "r=mine1,s=AAAA,i=999999999",
                "r=mine1,s=AAAA,i=0",
                "r=mine1,s=AAAA,i=x",
                "r=mine1,s=AAAA",
                "r=mine1,s=*,i=4096",
                ""
            })
    void refusesAnAnswerToAnotherNonceEndlessIterationsAndNonsense(String serverFirst) {
        // Given
        ScramExchange client = new ScramExchange("user", "pencil", () -> "mine");
        assertThat(client.first()).isNotEmpty();

        // When / Then
        assertThatThrownBy(() -> client.last(serverFirst)).isInstanceOf(IOException.class);
    }

    @Test
    void readsTheFirstColumnOfEveryRow() throws Exception {
        // Given
        Script script = (in, out) -> {
            startUp(in, out);
            in.skipNBytes(1);
            in.skipNBytes(in.readInt() - 4);
            message(out, 'D', new byte[] {0, 1, 0, 0, 0, 2, '4', '2'});
            message(out, 'D', new byte[] {0, 1, -1, -1, -1, -1});
            message(out, 'C', "SELECT 2\0".getBytes(StandardCharsets.US_ASCII));
            message(out, 'Z', new byte[] {'I'});
        };

        // When / Then
        withServer(script, at -> {
            try (SqlSession session = SqlSession.open(at, "u", "p", Duration.ofSeconds(5))) {
                assertThat(session.query("SELECT x")).containsExactly("42", "");
            }
        });
    }

    @Test
    void tellsTheServersRefusalWithItsState() throws Exception {
        // Given
        Script script =
                (in, out) -> message(out, 'E', "SFATAL\0C57P03\0Mnot yet\0\0".getBytes(StandardCharsets.US_ASCII));

        // When / Then
        withServer(
                script,
                at -> assertThatThrownBy(() -> SqlSession.open(at, "u", "p", Duration.ofSeconds(5)))
                        .isInstanceOfSatisfying(SqlSession.Refused.class, refused -> {
                            assertThat(refused).hasMessage("not yet");
                            assertThat(refused.sqlState()).isEqualTo("57P03");
                        }));
    }

    @Test
    void givesUpOnASilentServerAndOnAMonstrousMessage() throws Exception {
        // Given
        Script silent = (in, out) -> in.readAllBytes();
        Script monster = (in, out) -> {
            out.writeByte('R');
            out.writeInt(Integer.MAX_VALUE);
        };

        // When / Then
        withServer(
                silent,
                at -> assertThatThrownBy(() -> SqlSession.open(at, "u", "p", Duration.ofMillis(100)))
                        .isInstanceOf(SocketTimeoutException.class));
        withServer(
                monster,
                at -> assertThatThrownBy(() -> SqlSession.open(at, "u", "p", Duration.ofSeconds(5)))
                        .hasMessage("the server sent a message of 2147483647 bytes"));
    }

    private static void startUp(DataInputStream in, DataOutputStream out) throws IOException {
        in.skipNBytes(in.readInt() - 4);
        message(out, 'R', new byte[4]);
        message(out, 'Z', new byte[] {'I'});
    }

    private static void message(DataOutputStream out, char tag, byte[] body) throws IOException {
        out.writeByte(tag);
        out.writeInt(4 + body.length);
        out.write(body);
        out.flush();
    }

    private interface Check {
        void with(HostPort at) throws Exception;
    }

    private static void withServer(Script script, Check check) throws Exception {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Thread.ofVirtual().start(() -> {
                try (Socket socket = server.accept()) {
                    DataOutputStream out = new DataOutputStream(socket.getOutputStream());
                    DataInputStream in = new DataInputStream(socket.getInputStream());
                    script.serve(in, out);
                    out.flush();
                    in.readAllBytes();
                } catch (IOException e) {
                    // The client went away: that is one of the cases.
                }
            });
            check.with(new HostPort("127.0.0.1", server.getLocalPort()));
        }
    }
}
