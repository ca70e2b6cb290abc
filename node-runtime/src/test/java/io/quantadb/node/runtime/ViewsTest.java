package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.api.ClusterView;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.config.ConfigLoader;
import io.quantadb.node.config.NodeConfig;
import io.quantadb.node.coordinator.NodeFacts;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What a node says before it knows any members: whoever founds clusters rests on it. */
class ViewsTest {
    private final NodeConfig config = new ConfigLoader(Path.of("/x"), Map.of()).load(null, List.of());

    private ClusterView.Membership membership(@Nullable NodeFacts facts) {
        return Views.joining(config, Instant.EPOCH, facts).membership();
    }

    private static NodeFacts facts(String clusterId) {
        return new NodeFacts(new NodeId("node1"), 1, clusterId, 0, 0, 0, "", null);
    }

    @Test
    void anEmptyDiskBelongsToNoCluster() {
        assertThat(membership(null)).isEqualTo(ClusterView.Membership.NONE);
    }

    @Test
    void aDiskWithoutAClustersNameBelongsToNone() {
        assertThat(membership(facts(""))).isEqualTo(ClusterView.Membership.NONE);
    }

    @Test
    void aMembersDiskNeverSaysThatItBelongsToNone() {
        assertThat(membership(facts("u-1.00000000000000ff"))).isEqualTo(ClusterView.Membership.STARTING);
    }
}
