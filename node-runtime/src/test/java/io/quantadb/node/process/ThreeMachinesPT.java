package io.quantadb.node.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.cli.ExitCode;
import io.quantadb.node.testing.SqlTls;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The page that tells how to run a cluster on three machines: three loopback addresses, certificates of one's own, no
 * development CA; and what {@code certificates.md} says of them.
 */
@Tag("process")
class ThreeMachinesPT {
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    private static Howto page;

    @BeforeAll
    static void followsThePage() throws Exception {
        page = new Howto(ThreeMachinesPT.class, Path.of("..", "docs", "how-to", "three-machines.md"));
        succeeds(page.run("certificates"));
        succeeds(page.run("password"));
        for (String line : page.block("nodes")) {
            page.start(line);
        }
        await("three nodes that do their part")
                .atMost(PATIENCE)
                .untilAsserted(() -> assertThat(status())
                        .contains("node1 PRIMARY ACTIVE")
                        .contains("node2 REPLICA STREAMING")
                        .contains("node3 REPLICA STREAMING")
                        .contains("commits wait for ANY 1 of (node2, node3)"));
    }

    @AfterAll
    static void stops() throws Exception {
        page.close();
    }

    @Test
    void theUrlFollowsThePrimaryOverACheckedConnection() throws Exception {
        // When
        Howto.Outcome looked = page.run("look");

        // Then
        assertThat(looked.status()).as(looked.words()).isZero();
        assertThat(looked.words()).contains("pg_is_in_recovery").contains(" f\n");
        assertThat(page.log(0)).doesNotContain("development CA");
    }

    @Test
    void clientsMayCheckNamesAndAddressesOfEveryNode() throws Exception {
        for (int i = 1; i <= 3; i++) {
            succeeds(psql("host=127.0.0.%d sslmode=verify-full sslrootcert=tls/ca.crt".formatted(i)));
            succeeds(psql("host=127.0.0.%d sslmode=require".formatted(i)));
            succeeds(psql("host=127.0.0.%d sslmode=disable".formatted(i)));
        }
        assertThat(psql("host=127.0.0.4 hostaddr=127.0.0.1 sslmode=verify-full sslrootcert=tls/ca.crt")
                        .words())
                .contains("does not match host name");
        assertThat(psql("host=127.0.0.1 sslmode=require channel_binding=require")
                        .words())
                .contains("channel binding");
    }

    @Test
    void aRenewedCertificateIsUsedWithoutARestart() throws Exception {
        // Given
        BigInteger before = shown("127.0.0.2");

        // When
        succeeds(page.shell("bin/quantadb init --dir tls --valid-for 30d node2"));

        // Then
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(shown("127.0.0.2")).isNotEqualTo(before));
        assertThat(page.log(1)).contains("certificate files changed, new connections use them");
        succeeds(psql("host=127.0.0.2 sslmode=verify-full sslrootcert=tls/ca.crt"));
    }

    @Test
    void stopsAndStartsANodeAsThePageSays() throws Exception {
        // Given
        int third = 2;

        // When
        succeeds(page.shell("bin/quantadb stop --data data/node3"));
        await().atMost(PATIENCE)
                .untilAsserted(() ->
                        assertThat(status()).contains("node3 -       DOWN").contains("node1 PRIMARY"));
        Process again = page.start(page.block("nodes").get(third));

        // Then
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(status()).contains("node3 REPLICA STREAMING"));
        assertThat(again.isAlive()).isTrue();
    }

    @Test
    void aSecondAgentOnTheSameDataDirectoryHarmsNothing() throws Exception {
        // Given
        String server = postmaster("node2");

        // When
        Process second = page.start(page.block("nodes").get(1).replace("--host 127.0.0.2", "--host 127.0.0.5"));

        // Then
        assertThat(second.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(second.exitValue()).isEqualTo(ExitCode.DATA_DIRECTORY.status());
        assertThat(status()).contains("node2 REPLICA STREAMING");
        assertThat(postmaster("node2")).isEqualTo(server);
    }

    private static String postmaster(String node) throws Exception {
        return Files.readAllLines(page.folder()
                        .resolve("data")
                        .resolve(node)
                        .resolve("postgres")
                        .resolve("postmaster.pid"))
                .getFirst();
    }

    private static String status() throws Exception {
        return page.shell("bin/quantadb status --api 127.0.0.1:8432,127.0.0.2:8432,127.0.0.3:8432")
                .words();
    }

    private static Howto.Outcome psql(String conninfo) throws Exception {
        return page.shell(
                "PGPASSWORD=$(cat postgres.password) psql -X 'port=9432 user=postgres dbname=postgres connect_timeout=5 %s' -c 'select 1'"
                        .formatted(conninfo));
    }

    private static BigInteger shown(String address) throws Exception {
        return SqlTls.certificateShown(address, Howto.moved(9432)).getSerialNumber();
    }

    private static void succeeds(Howto.Outcome outcome) {
        assertThat(outcome.status()).as(outcome.words()).isZero();
    }
}
