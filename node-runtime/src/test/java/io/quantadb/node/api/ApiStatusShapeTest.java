package io.quantadb.node.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quantadb.node.common.Lsn;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ApiStatusShapeTest {
    /** The answer as it was first published; later fields may stand beside these. */
    private static final String FIRST = """
            {
              "node": {"id": "node1", "raft_address": "localhost:7432", "replication_port": 6432, "role": "PRIMARY",
                "start_time": "2024-01-26T10:00:00Z", "uptime_seconds": 3600},
              "raft": {"term": 1, "state": "LEADER", "leader": "node1"},
              "replication": {"mode": "PRIMARY", "node_id": "node1", "address": ":6432", "state": "ACTIVE",
                "last_lsn": 12345, "replica_count": 1},
              "failover": {"current_role": "PRIMARY", "is_healthy": true, "last_failover": "0001-01-01T00:00:00Z",
                "failover_in_progress": false},
              "cluster": {"is_healthy": true}
            }
            """;

    private final ObjectMapper mapper = new ObjectMapper();

    @Test
    void keepsEveryFieldAndTypeInOrder() throws IOException {
        // Given
        JsonNode first = mapper.readTree(FIRST);

        // When
        JsonNode now = mapper.readTree(Json.bytes(new StatusBody(TestingViews.primary())));

        // Then
        for (Map.Entry<String, JsonNode> group : first.properties()) {
            JsonNode ours = now.get(group.getKey());
            List<String> names =
                    group.getValue().propertyStream().map(Map.Entry::getKey).toList();
            assertThat(ours.propertyStream().map(Map.Entry::getKey).toList()).containsSubsequence(names);
            for (Map.Entry<String, JsonNode> field : group.getValue().properties()) {
                assertThat(ours.get(field.getKey()).getNodeType())
                        .as(field.getKey())
                        .isEqualTo(field.getValue().getNodeType());
            }
        }
        assertThat(now.at("/node/start_time").asText()).isEqualTo("2024-01-26T10:00:00Z");
        assertThat(now.at("/failover/last_failover").asText()).isEqualTo("0001-01-01T00:00:00Z");
        assertThat(now.at("/replication/last_lsn").asLong()).isEqualTo(12345);
        assertThat(now.at("/replication/last_lsn_text").asText()).isEqualTo("0/3039");
    }

    @Test
    void aReplicaThatHearsNoOtherReplicaTrustsTheLeaderToHaveAMajority() {
        // Given a replica of three, whose view of the other replica is empty
        ClusterView replica = TestingViews.replica();

        // When the primary is well, and there is a leader
        boolean ofThree = replica.clusterHealthy();
        boolean alone = TestingViews.noLeader().clusterHealthy();

        // Then
        assertThat(ofThree).isTrue();
        assertThat(TestingViews.withUnknownSelf(replica).clusterHealthy()).isTrue();
        assertThat(alone).isFalse();
    }

    @Test
    void writesTheHighestPositionAsAnUnsignedNumber() {
        // When
        String json =
                new String(Json.bytes(out -> Json.lsn(out, new Lsn(-1))), java.nio.charset.StandardCharsets.UTF_8);

        // Then
        assertThat(json).contains("18446744073709551615").contains("FFFFFFFF/FFFFFFFF");
    }
}
