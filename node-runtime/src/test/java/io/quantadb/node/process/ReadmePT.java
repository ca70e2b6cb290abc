package io.quantadb.node.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.cli.ClusterClient;
import io.quantadb.node.common.HostPort;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What the README has a newcomer type beside the demo. */
@Tag("process")
class ReadmePT {
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final Path README = Path.of("..", "README.md");

    @Test
    void threeNodesByHandFormAClusterWithoutCertificates() throws Exception {
        try (Howto page = new Howto(ReadmePT.class, README)) {
            // When
            for (String line : page.block("by hand")) {
                page.start(line);
            }

            // Then
            await("three nodes that do their part")
                    .atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(page.run("look").words())
                            .contains("node2 REPLICA STREAMING")
                            .contains("node3 REPLICA STREAMING")
                            .contains("commits wait for ANY 1 of (node2, node3)"));
            assertThat(page.log(0)).contains("development CA");
            Howto.Outcome password = page.shell(
                    "psql -X -h \"$PWD/data/node1/run/pg\" -U quantadb -d postgres -c \"ALTER ROLE postgres PASSWORD 'x'\"");
            assertThat(password.status()).as(password.words()).isZero();
            Howto.Outcome row = page.shell(
                    "PGPASSWORD=x psql -X 'host=localhost,localhost port=9432,9433 user=postgres dbname=postgres' -Atc 'select 1'");
            assertThat(row.words()).isEqualTo("1\n");
        }
    }

    @Test
    void aNodeAloneIsWellAndTellsItsUrl() throws Exception {
        try (Howto page = new Howto(ReadmePT.class, README)) {
            // When
            Process node = page.start(page.block("alone").getFirst());

            // Then
            HostPort api = new HostPort("localhost", Howto.moved(8432));
            await("its health")
                    .atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(new ClusterClient(null).get(api, "/cluster/health"))
                            .hasValueSatisfying(health ->
                                    assertThat(health.path("status").asText()).isEqualTo("healthy")));
            assertThat(page.shell("bin/quantadb status --api localhost:8432").words())
                    .contains("node1 PRIMARY ACTIVE")
                    .contains("commits wait for nobody else");
            assertThat(page.shell("bin/quantadb psql-url --api localhost:8432").words())
                    .startsWith("postgresql://postgres@localhost:%d/postgres?".formatted(Howto.moved(9432)));
            assertThat(page.shell("bin/quantadb stop --data data/alone").status())
                    .isZero();
            assertThat(node.waitFor()).isZero();
        }
    }
}
