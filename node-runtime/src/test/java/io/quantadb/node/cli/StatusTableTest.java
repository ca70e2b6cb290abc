package io.quantadb.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StatusTableTest {
    private static final Path GOLDEN = Path.of("src", "test", "resources", "api");
    private final ObjectMapper mapper = new ObjectMapper();

    @Test
    void showsAHealthyCluster() throws IOException {
        // When
        String table = new StatusTable(false).render(nodes("primary"));

        // Then
        assertThat(table).isEqualTo("""
                NODE  ROLE    STATE     EPOCH TIMELINE LSN    LAG  HEALTH  SQL
                node1 PRIMARY ACTIVE    1     1        0/3039 -    healthy localhost:5432
                node2 REPLICA STREAMING 1     1        0/3039 0B   healthy localhost:5433
                node3 REPLICA STREAMING 1     1        0/2EE0 345B lagging localhost:5434
                primary node1, leader node1, epoch 1; commits wait for ANY 1 of (node2, node3)
                """);
    }

    @Test
    void showsANodeThatHearsNobody() throws IOException {
        // When
        String table = new StatusTable(false).render(nodes("no-leader"));

        // Then
        assertThat(table).isEqualTo("""
                NODE  ROLE    STATE      EPOCH TIMELINE LSN    LAG HEALTH  SQL
                node1 -       DOWN       -     -        -      -   unknown localhost:5432
                node2 STANDBY CONNECTING 1     1        0/3039 -   unknown localhost:5433
                node3 -       DOWN       -     -        -      -   unknown localhost:5434
                primary node1, leader none, epoch 1; commits wait for ANY 1 of (node2, node3)
                """);
    }

    @Test
    void claimsNothingOfAStandbyThatStreamsAndHasNotToldHowFar() throws IOException {
        // Given
        ObjectNode nodes = (ObjectNode) nodes("primary");
        ((ObjectNode) nodes.path("nodes").path(2))
                .put("last_lsn", 0)
                .put("last_lsn_text", "0/0")
                .put("lag_bytes", -1)
                .put("health", "unknown");

        // When
        String table = new StatusTable(false).render(nodes);

        // Then
        assertThat(table).contains("node3 REPLICA STREAMING 1     1        -      -   unknown localhost:5434\n");
    }

    @Test
    void saysThatANodeIsInNoClusterYet() throws IOException {
        assertThat(new StatusTable(false).render(mapper.readTree("{\"answered_by\": \"node2\", \"nodes\": []}")))
                .isEqualTo("node node2 is in no cluster yet\n");
    }

    @Test
    void saysThatCommitsWaitForNobodyWhereNothingIsReplicated() throws IOException {
        // Given
        ObjectNode nodes = (ObjectNode) nodes("primary");

        // When
        String table = new StatusTable(false).render(nodes.put("rule", "none"));

        // Then
        assertThat(table).endsWith("; commits wait for nobody else\n");
    }

    @Test
    void saysWhatIsHeldBackAndWhatIsNotedOfANode() throws IOException {
        // Given
        ObjectNode nodes = (ObjectNode) nodes("primary");
        nodes.put("held_back", "the primary is unfit: its disk fails");
        ((ObjectNode) nodes.path("nodes").get(1)).put("note", "slow: 12 s behind; no commit waits for it");

        // When
        String table = new StatusTable(false).render(nodes);

        // Then
        assertThat(table)
                .contains("a failover is held back: the primary is unfit: its disk fails\n")
                .contains("node2: slow: 12 s behind; no commit waits for it\n")
                .endsWith("commits wait for ANY 1 of (node2, node3)\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"primary", "replica", "no-leader"})
    void fitsEightyColumnsWhateverTheNamesAre(String who) throws IOException {
        // Given
        JsonNode nodes = nodes(who);
        nodes.path("nodes")
                .forEach(node -> ((ObjectNode) node)
                        .put(
                                "id",
                                "a-node-with-a-very-long-name-indeed."
                                        + node.path("id").asText())
                        .put("sql_address", "a-very-long-host-name.of-some.example.org:15432")
                        .put("last_lsn_text", "FFFFFFFF/FFFFFFFF")
                        .put("lag_bytes", 123_456_789_012L));

        // When
        String table = new StatusTable(false).render(nodes);

        // Then
        assertThat(table.lines().limit(4)).allMatch(line -> line.length() <= 80);
    }

    @Test
    void coloursOnlyWhenAsked() throws IOException {
        // When
        String coloured = new StatusTable(true).render(nodes("primary"));

        // Then
        assertThat(coloured).contains("\u001b[32mPRIMARY\u001b[0m");
        assertThat(coloured.replaceAll("\u001b\\[\\d+m", ""))
                .isEqualTo(new StatusTable(false).render(nodes("primary")));
    }

    private JsonNode nodes(String who) throws IOException {
        return mapper.readTree(Files.readString(GOLDEN.resolve(who + "-nodes.json")));
    }
}
