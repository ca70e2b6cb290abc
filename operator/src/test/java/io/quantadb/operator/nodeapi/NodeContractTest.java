package io.quantadb.operator.nodeapi;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Reads what nodes really say: the golden files of the node's own tests. */
class NodeContractTest {
    private static final Path GOLDEN = Path.of("../node-runtime/src/test/resources/api");
    private static final ObjectMapper JSON = new ObjectMapper();

    private static <T> T read(String file, Class<T> type) throws IOException {
        return JSON.readValue(GOLDEN.resolve(file).toFile(), type);
    }

    @ParameterizedTest
    @CsvSource({
        "primary-status.json, true, node1",
        "replica-status.json, false, node3",
        "no-leader-status.json, false, node1"
    })
    void understandsAStatus(String file, boolean serving, String primary) throws IOException {
        StatusAnswer status = read(file, StatusAnswer.class);
        assertThat(status.node().serving() && status.node().lease()).isEqualTo(serving);
        assertThat(status.cluster().primary()).isEqualTo(primary);
        assertThat(status.cluster().memberCount()).isEqualTo(3);
        assertThat(status.failover().epoch()).isPositive();
    }

    @Test
    void understandsTheMembers() throws IOException {
        assertThat(read("primary-nodes.json", NodesAnswer.class).nodes())
                .extracting(NodesAnswer.Member::role)
                .containsExactly("PRIMARY", "REPLICA", "REPLICA");
    }

    @Test
    void understandsThatAClusterExists() throws IOException {
        assertThat(JSON.readTree(GOLDEN.resolve("bootstrap-exists.json").toFile())
                        .path("cluster_id")
                        .asText())
                .matches("[a-zA-Z0-9-]{1,64}\\.[0-9a-f]{16}");
    }

    /** Founding waits for the first of these from every node, and no other may pass for it. */
    @ParameterizedTest
    @CsvSource({"blank-status.json, NONE", "starting-status.json, STARTING", "primary-status.json, MEMBER"})
    void understandsWhetherANodesDiskBelongsToACluster(String file, String said) throws IOException {
        assertThat(read(file, StatusAnswer.class).cluster().membership()).isEqualTo(said);
    }
}
