package io.quantadb.node.front;

import static io.quantadb.node.front.FrontPostgresTest.async;
import static io.quantadb.node.front.TestingFront.connect;
import static io.quantadb.node.front.TestingFront.one;
import static io.quantadb.node.front.TestingFront.run;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.netty.buffer.Unpooled;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.pki.ClusterCa;
import io.quantadb.node.testing.PostgresVersion;
import io.quantadb.node.testing.TestingPostgres;
import io.quantadb.node.transport.NettyTransport;
import io.quantadb.node.transport.TransportConfig;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import org.postgresql.PGConnection;
import org.postgresql.util.PSQLException;

/** Two nodes, a primary (PostgreSQL 18) with its standby, each behind a front. The last test promotes the standby. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class FrontPairTest {
    private static TestingPostgres primary;
    private static TestingPostgres standby;

    @TempDir
    private static Path folder;

    private static NettyTransport transportA;
    private static NettyTransport transportB;

    private TestingFront a;
    private TestingFront b;

    @BeforeAll
    static void startServers() {
        var ca = ClusterCa.create(folder.resolve("ca"), "shop", InstantSource.system());
        transportA = transport("a", ca);
        transportB = transport("b", ca);
        primary = TestingPostgres.create(PostgresVersion.V18)
                .set("max_connections", "100")
                .start();
        standby = TestingPostgres.create(PostgresVersion.V18)
                .standbyOf(primary, "b")
                .set("max_connections", "100")
                .start();
        primary.query("CREATE TABLE t (i int)");
        await().until(() -> standby.query("SELECT to_regclass('t')").singleOrNull(), "t"::equals);
    }

    @AfterAll
    static void stopServers() {
        transportA.close();
        transportB.close();
        standby.close();
        primary.close();
    }

    private static NettyTransport transport(String node, ClusterCa ca) {
        var id = new NodeId(node);
        var files = ca.issueNode(id, List.of("127.0.0.1"), Duration.ofDays(1));
        var transport = new NettyTransport(
                new TransportConfig(id, freePort(), freePort(), files),
                System::nanoTime,
                InstantSource.system(),
                new Random(7));
        transport.streams().start();
        return transport;
    }

    /** Below the range of outgoing connections, so that nobody gets it in between by chance. */
    private static HostPort freePort() {
        var random = new Random();
        for (int tries = 0; tries < 200; tries++) {
            int port = random.nextInt(12_000, 32_000);
            try (var probe = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return new HostPort("127.0.0.1", probe.getLocalPort());
            } catch (IOException e) {
                // taken; try another
            }
        }
        throw new IllegalStateException("no free port");
    }

    @BeforeEach
    void openFronts() {
        a = new TestingFront("a", primary.socket(), transportA.streams()).primary(1);
        b = new TestingFront("b", standby.socket(), transportB.streams());
        b.front.setView(FrontView.standby(a.asPrimary()));
    }

    @AfterEach
    void closeFronts() {
        b.close();
        a.close();
    }

    @Test
    @Order(1)
    void refusesAWriteOnTheReplicaAndSaysWhereThePrimaryIs() throws Exception {
        try (Connection c = connect(b.localPort())) {
            assertThat(one(c, "SELECT pg_is_in_recovery()")).isEqualTo("t");
            assertThatThrownBy(() -> run(c, "INSERT INTO t VALUES (1)"))
                    .asInstanceOf(org.assertj.core.api.InstanceOfAssertFactories.type(PSQLException.class))
                    .satisfies(e -> {
                        var words = e.getServerErrorMessage();
                        assertThat(words.getSQLState()).isEqualTo("25006");
                        assertThat(words.getMessage()).isEqualTo("cannot execute write queries on replica node");
                        assertThat(words.getDetail()).isEqualTo("cannot execute INSERT in a read-only transaction");
                        assertThat(words.getHint())
                                .contains("node a at 127.0.0.1:" + a.localPort())
                                .contains("Port " + b.primaryPort());
                    });
        }
    }

    @Test
    @Order(2)
    void takesAWholeConnectionToThePrimaryFromTheOtherNode() throws Exception {
        try (Connection c = connect(b.primaryPort())) {
            run(c, "INSERT INTO t VALUES (2)");
            assertThat(one(c, "SELECT pg_is_in_recovery()")).isEqualTo("f");
            assertThat(one(c, "SELECT sum(length(repeat('x', 1000) || i)) > 20000000 FROM generate_series(1, 20000) i"))
                    .isEqualTo("t");
            try (var statement = c.createStatement();
                    var rows = statement.executeQuery("SELECT repeat('x', 1000) FROM generate_series(1, 20000)")) {
                int count = 0;
                while (rows.next()) {
                    count++;
                }
                assertThat(count).isEqualTo(20_000);
            }
            byte[] line = "123456789\n".repeat(100_000).getBytes(java.nio.charset.StandardCharsets.US_ASCII);
            var copy = c.unwrap(PGConnection.class).getCopyAPI().copyIn("COPY t FROM STDIN");
            for (int i = 0; i < 5; i++) {
                copy.writeToCopy(line, 0, line.length);
            }
            assertThat(copy.endCopy()).isEqualTo(500_000);
            assertThat(b.front.sessions().relayed()).isEqualTo(1);
            assertThat(a.front.sessions().fromPeers()).isEqualTo(1);
        }
        await().until(() -> a.front.sessions().total() + b.front.sessions().total(), n -> n == 0);
    }

    @Test
    @Order(3)
    void cancelsThroughTheOtherNode() throws Exception {
        try (Connection c = connect(b.primaryPort());
                var statement = c.createStatement()) {
            String pid = one(c, "SELECT pg_backend_pid()");
            var sleeping = async(() -> statement.execute("SELECT pg_sleep(30)"));
            await().until(
                            () -> primary.query("SELECT wait_event FROM pg_stat_activity WHERE pid = " + pid)
                                    .singleOrNull(),
                            "PgSleep"::equals);
            // When
            statement.cancel();
            // Then
            await().untilAsserted(() -> assertThat(sleeping).isCompletedExceptionally());
            assertThat(one(c, "SELECT 1")).isEqualTo("1");
        }
    }

    @Test
    @Order(3)
    void cutsTheStandbysSessionsWhenItsServerIsToStop() throws Exception {
        try (Connection c = connect(b.localPort());
                Connection elsewhere = connect(b.primaryPort())) {
            assertThat(b.front.sessions().standby()).isEqualTo(1);
            // When
            b.front.closeLocal("The server is being restarted.").get(2, TimeUnit.SECONDS);
            // Then
            assertThatThrownBy(() -> one(c, "SELECT 1")).isInstanceOf(PSQLException.class);
            assertThat(one(elsewhere, "SELECT 1")).isEqualTo("1");
            assertThat(b.front.sessions().standby()).isZero();
        }
    }

    @Test
    @Order(3)
    void passesProtocol32AndItsLongCancelKeysThrough() throws Exception {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), b.primaryPort())) {
            // Given
            socket.setSoTimeout(10_000);
            var in = new DataInputStream(socket.getInputStream());
            byte[] startup = Wire.bytes(Wire.startup("user", "postgres"));
            startup[7] = 2;
            socket.getOutputStream().write(startup);
            byte[] key = awaitMessage(in, 'K');
            assertThat(key.length).isGreaterThan(8);
            awaitMessage(in, 'Z');
            socket.getOutputStream().write(Wire.bytes(Wire.query("SELECT pg_sleep(30)")));
            String pid = Integer.toString(java.nio.ByteBuffer.wrap(key).getInt());
            await().until(
                            () -> primary.query("SELECT wait_event FROM pg_stat_activity WHERE pid = " + pid)
                                    .singleOrNull(),
                            "PgSleep"::equals);
            // When
            try (var cancel = new Socket(InetAddress.getLoopbackAddress(), b.localPort())) {
                var request = Unpooled.buffer().writeInt(8 + key.length).writeInt(StartupPacket.CANCEL_REQUEST);
                cancel.getOutputStream().write(Wire.bytes(request.writeBytes(key)));
                assertThat(cancel.getInputStream().read()).isEqualTo(-1);
            }
            // Then
            assertThat(new String(awaitMessage(in, 'E'), java.nio.charset.StandardCharsets.ISO_8859_1))
                    .contains("57014");
        }
    }

    private static byte[] awaitMessage(DataInputStream in, char tag) throws IOException {
        while (true) {
            byte found = in.readByte();
            byte[] body = new byte[in.readInt() - 4];
            in.readFully(body);
            if (found == tag) {
                return body;
            }
        }
    }

    @Test
    @Order(4)
    void cutsRelayedSessionsWhenThePrimaryIsFencedAndHoldsNewOnes() throws Exception {
        try (Connection c = connect(b.primaryPort())) {
            assertThat(one(c, "SELECT 1")).isEqualTo("1");
            // When
            a.front.fence("Another node was promoted.").get(2, TimeUnit.SECONDS);
            // Then
            assertThatThrownBy(() -> one(c, "SELECT 1")).hasMessageContaining("no longer the primary");
        }
        var again = async(() -> {
            try (Connection c = connect(b.primaryPort())) {
                return one(c, "SELECT 'back'");
            }
        });
        await().until(() -> b.front.sessions().starting(), n -> n == 1);
        a.primary(2);
        await().untilAsserted(() -> assertThat(again).isCompletedWithValue("back"));
    }

    @Test
    @Order(5)
    void holdsTheAnswerOfACancelledWaitUntilTheVoiceHasPassedIt() throws Exception {
        // Given
        primary.query("ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (quantadb_voice)'");
        primary.query("SELECT pg_reload_conf()");
        await().until(() -> primary.query("SHOW synchronous_standby_names").single(), v -> v.contains("voice"));
        var voice = new AtomicReference<>(Lsn.NONE);
        try (Connection c = connect(a.localPort());
                Connection other = connect(b.primaryPort())) {
            String pid = one(c, "SELECT pg_backend_pid()");
            run(c, "SET client_min_messages TO warning");
            var insert = async(() -> {
                run(c, "INSERT INTO t VALUES (5)");
                return "done";
            });
            await().until(
                            () -> primary.query("SELECT wait_event FROM pg_stat_activity WHERE pid = " + pid)
                                    .singleOrNull(),
                            "SyncRep"::equals);
            // When
            primary.query("SELECT pg_cancel_backend(" + pid + ")");
            Long ticket = a.cancelledWaits.poll(10, TimeUnit.SECONDS);
            assertThat(ticket).isNotNull();
            // PostgreSQL warns a moment before it shows the row.
            await().until(
                            () -> primary.query("SELECT count(*) FROM t WHERE i = 5")
                                    .single(),
                            "1"::equals);
            var read = async(() -> one(other, "SELECT count(*) FROM t WHERE i = 5"));
            Lsn until = Lsn.parse(
                    primary.query("SELECT pg_current_wal_insert_lsn()").single());
            a.front.holdAnswers(ticket, until, voice::get);
            await().until(() -> a.front.sessions().held(), n -> n == 2);
            // Then
            assertThat(insert).isNotDone();
            assertThat(read).isNotDone();
            voice.set(until);
            await().untilAsserted(() -> assertThat(insert).isCompletedWithValue("done"));
            await().untilAsserted(() -> assertThat(read).isCompletedWithValue("1"));
        } finally {
            primary.query("ALTER SYSTEM RESET synchronous_standby_names");
            primary.query("SELECT pg_reload_conf()");
        }
    }

    @Test
    @Order(6)
    void keepsAStandbysSessionThroughItsPromotionAndTellsItTheTruth() throws Exception {
        try (Connection c = connect(b.localPort())) {
            assertThat(c.unwrap(PGConnection.class).getParameterStatus("in_hot_standby"))
                    .isEqualTo("on");
            // When
            b.front.setView(FrontView.closed("This node is being promoted.", null));
            a.front.fence("Another node was promoted.").get(2, TimeUnit.SECONDS);
            var write = async(() -> {
                run(c, "INSERT INTO t VALUES (6)");
                return "written";
            });
            await().until(() -> b.front.sessions().held(), n -> n == 1);
            standby.query("SELECT pg_promote()");
            assertThat(write).isNotDone();
            b.primary(2);
            // Then
            await().atMost(Duration.ofSeconds(10))
                    .untilAsserted(() -> assertThat(write).isCompletedWithValue("written"));
            assertThat(c.unwrap(PGConnection.class).getParameterStatus("in_hot_standby"))
                    .isEqualTo("off");
        }
    }
}
