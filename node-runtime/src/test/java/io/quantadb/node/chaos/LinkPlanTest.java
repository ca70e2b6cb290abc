package io.quantadb.node.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LinkPlanTest {
    private final LinkPlan plan = new LinkPlan(77, 3, 21432);

    @Test
    void eachNodeFindsTheOthersAtTheProxyAndItselfAtHome() {
        // When / Then
        assertThat(plan.hostsFile(0)).isEqualTo("""
                127.0.0.1 localhost
                127.77.1.1 node1.chaos
                127.77.2.101 node2.chaos
                127.77.3.101 node3.chaos
                """);
        assertThat(plan.hostsFile(2))
                .contains("127.77.1.103 node1.chaos\n127.77.2.103 node2.chaos\n127.77.3.1 node3.chaos");
    }

    @Test
    void theProxySeemsToComeFromWhereTheAcceptorFindsTheDialler() {
        // Given node1 dials node3's Raft port
        InetSocketAddress listen = new InetSocketAddress("127.77.3.101", 23434);

        // When
        List<Route> found = plan.routes().stream()
                .filter(route -> route.listen().equals(listen))
                .toList();

        // Then
        assertThat(found).singleElement().satisfies(route -> {
            assertThat(route.there()).isEqualTo(new Link(0, 2));
            assertThat(route.target()).isEqualTo(new InetSocketAddress("127.77.3.1", 23434));
            assertThat(route.source().getAddress().getHostAddress()).isEqualTo(plan.proxyHost(2, 0));
        });
        assertThat(plan.routes()).extracting(Route::listen).doesNotHaveDuplicates();
        assertThat(plan.routes()).hasSize(6 * 3);
    }

    @Test
    void aNodeIsStartedWithNamesOnly(@TempDir Path folder) throws Exception {
        // When
        List<String> prefix = plan.prefix(1, folder);

        // Then
        assertThat(prefix)
                .contains(
                        "env",
                        "QUANTADB_ADVERTISED_HOST=node2.chaos",
                        "QUANTADB_CLUSTER_PEERS=node1.chaos:22432,node3.chaos:22434",
                        "QUANTADB_CLUSTER_REPLICATION_PRIMARY_ADDRESS=node1.chaos:22432");
        assertThat(Files.readString(folder.resolve("node2.hosts"))).isEqualTo(plan.hostsFile(1));
        assertThat(plan.prefix(0, folder)).noneMatch(word -> word.contains("PRIMARY_ADDRESS"));
    }
}
