package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.NodeId;
import io.quantadb.node.config.ConfigLoader;
import io.quantadb.node.relay.RelayConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class NodePartsTest {
    private static ConfigLoader.Flag replication(String key, String value) {
        return new ConfigLoader.Flag("cluster.replication." + key, "--" + key, value);
    }

    @Test
    void givesTheRelayEverySettingOfReplicationByItsName() {
        // Given
        var config = new ConfigLoader(Path.of("/x"), Map.of())
                .load(
                        null,
                        List.of(
                                replication("stream_buffer_size", "3MB"),
                                replication("heartbeat_interval", "310ms"),
                                replication("heartbeat_timeout", "2100ms"),
                                replication("connect_timeout", "1700ms"),
                                replication("reconnect_interval", "430ms"),
                                replication("max_reconnect_tries", "23"),
                                replication("batch_size", "57"),
                                replication("flush_interval", "70ms"),
                                replication("snapshot_timeout", "41s")));
        RelayConfig base =
                RelayConfig.of(new NodeId("n1"), 5, Path.of("/r"), 5434, Path.of("/p"), 5435, "agent", "15.13");

        // When
        RelayConfig tuned = NodeParts.tuned(base, config.cluster().replication());

        // Then
        assertThat(tuned)
                .isEqualTo(new RelayConfig(
                        new NodeId("n1"),
                        5,
                        Path.of("/r"),
                        5434,
                        Path.of("/p"),
                        5435,
                        "agent",
                        "15.13",
                        3 << 20,
                        Duration.ofMillis(310),
                        Duration.ofMillis(2100),
                        Duration.ofMillis(1700),
                        Duration.ofMillis(430),
                        23,
                        57,
                        Duration.ofMillis(70),
                        Duration.ofSeconds(41),
                        base.flushTimeout(),
                        base.progressInterval()));
    }
}
