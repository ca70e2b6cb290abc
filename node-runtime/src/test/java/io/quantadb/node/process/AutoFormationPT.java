package io.quantadb.node.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A cluster that nobody founds until it is permitted to, by a certificate, once. */
@Tag("process")
class AutoFormationPT {
    @Test
    void foundsOnePermittedClusterAndTakesAnEmptiedFounderIn() throws Exception {
        try (AutoNodes nodes = new AutoNodes()) {
            // Given two of three: the permission is refused while a listed peer is silent
            nodes.start(0);
            nodes.start(1);
            awaitProbe(nodes, 0, "/startupz", 200);
            awaitProbe(nodes, 1, "/startupz", 200);
            assertThat(nodes.probe(0, "/livez")).isEqualTo(200);
            assertThat(nodes.probe(0, "/readyz")).isEqualTo(503);
            AutoNodes.Reply early = nodes.permit(0, "u-1");
            assertThat(early.status()).as("%s", early).isEqualTo(409);
            assertThat(early.body().path("error").asText())
                    .contains(":" + AutoNodes.ports(2).replication());
            assertThat(nodes.permitAsViewer(0, "u-1").status()).isEqualTo(403);
            assertThat(nodes.nodes(0).body().path("nodes").size()).isZero();

            // When
            nodes.start(2);
            awaitProbe(nodes, 2, "/startupz", 200);
            for (int i = 0; i < 3; i++) {
                assertThat(Files.exists(nodes.data(i).resolve("postgres").resolve("PG_VERSION")))
                        .as("data of %s without a permission", AutoNodes.id(i))
                        .isFalse();
            }
            AutoNodes.Reply founded = nodes.permit(0, "u-1");

            // Then
            assertThat(founded.status()).as("%s", founded).isEqualTo(200);
            assertThat(founded.body().path("founded").asBoolean()).isTrue();
            String id = founded.body().path("cluster_id").asText();
            assertThat(id).matches("u-1\\.[0-9a-f]{16}");
            awaitAllReady(nodes);
            for (int i = 0; i < 3; i++) {
                AutoNodes.Reply again = nodes.permit(i, "u-1");
                assertThat(again.status()).as("%s", again).isEqualTo(200);
                assertThat(again.body().path("founded").asBoolean()).isFalse();
                assertThat(again.body().path("cluster_id").asText()).isEqualTo(id);
                assertThat(again.body().path("system_identifier"))
                        .isEqualTo(founded.body().path("system_identifier"));
                assertThat(nodes.permit(i, "u-2").status()).isEqualTo(409);
                assertThat(isOwner(AutoNodes.ports(i).sql())).isTrue();
                assertThat(nodes.log(i)).doesNotContain(AutoNodes.OWNER_PASSWORD);
            }

            // When the primary is told to stop
            Process primary = nodes.process(0);
            primary.destroy();

            // Then it hands over, and ends as something that went well
            assertThat(primary.waitFor(40, TimeUnit.SECONDS)).isTrue();
            assertThat(primary.exitValue()).isZero();
            await("another primary")
                    .atMost(TestingThree.PATIENCE)
                    .untilAsserted(() -> assertThat(
                                    nodes.nodes(1).body().path("primary").asText())
                            .isIn(AutoNodes.id(1), AutoNodes.id(2)));
            assertThat(nodes.data(0).resolve("run").resolve("agent.pid")).doesNotExist();

            // When its volume is gone
            nodes.empty(0);
            nodes.start(0);

            // Then it comes back by itself, without another permission
            awaitAllReady(nodes);
            assertThat(nodes.permit(0, "u-1").body().path("cluster_id").asText())
                    .isEqualTo(id);
            assertThat(isOwner(AutoNodes.ports(0).sql())).isTrue();
        }
    }

    private static void awaitAllReady(AutoNodes nodes) {
        for (int i = 0; i < 3; i++) {
            awaitProbe(nodes, i, "/readyz", 200);
        }
    }

    private static void awaitProbe(AutoNodes nodes, int i, String path, int status) {
        await(path + " of " + AutoNodes.id(i))
                .atMost(TestingThree.PATIENCE)
                .untilAsserted(() -> assertThat(nodes.probe(i, path)).isEqualTo(status));
    }

    private static boolean isOwner(int port) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", "keeper");
        properties.setProperty("password", AutoNodes.OWNER_PASSWORD);
        properties.setProperty("sslmode", "disable");
        properties.setProperty("gssEncMode", "disable");
        properties.setProperty("connectTimeout", "5");
        properties.setProperty("socketTimeout", "20");
        try (Connection session = DriverManager.getConnection(
                        "jdbc:postgresql://127.0.0.1:%d/store".formatted(port), properties);
                var statement = session.createStatement();
                var row = statement.executeQuery(
                        "SELECT pg_catalog.pg_get_userbyid(datdba) = current_user FROM pg_database WHERE datname = current_database()")) {
            row.next();
            return row.getBoolean(1);
        }
    }
}
