package io.quantadb.node.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.config.ConfigLoader.Flag;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigLoaderTest {
    @TempDir
    Path dir;

    @Test
    void readsTheSeedsPrimaryFile() throws IOException {
        // Given
        Path file = write("primary.json", """
                {
                  "host": "localhost",
                  "port": 5432,
                  "data_dir": "./data/primary",
                  "log_level": "info",
                  "cluster": {
                    "node_id": "node1",
                    "mode": "primary",
                    "data_dir": "./data/primary/cluster"
                  }
                }
                """);

        // When
        NodeConfig config = loader(Map.of()).load(file, List.of());

        // Then
        assertThat(config.ports()).isEqualTo(new Ports(5432, 6432, 7432, 8432, 9432));
        assertThat(config.dataDir()).isEqualTo(dir.resolve("data/primary"));
        assertThat(config.cluster().nodeId()).isEqualTo(new NodeId("node1"));
        assertThat(config.cluster().mode()).isEqualTo(NodeMode.PRIMARY);
        assertThat(config.cluster().dataDir()).isEqualTo(dir.resolve("data/primary/cluster"));
        assertThat(config.loopbackOnly()).isTrue();
    }

    @Test
    void readsTheSeedsReplicaFileWithEveryReplicationKey() throws IOException {
        // Given
        Path file = write("replica.json", """
                {"host": "localhost", "port": 5433, "data_dir": "./data/replica", "log_level": "info",
                 "cluster": {"node_id": "node2", "mode": "replica", "data_dir": "./data/replica/cluster",
                  "replication": {"primary_address": "localhost:6432", "stream_buffer_size": "1MB", "batch_size": 100,
                   "flush_interval": "100ms", "heartbeat_interval": "10s", "heartbeat_timeout": "30s",
                   "max_lag_bytes": "16MB", "max_lag_time": "5m", "connect_timeout": "30s",
                   "reconnect_interval": "5s", "max_reconnect_tries": 10},
                  "raft": {"election_timeout": "150ms", "heartbeat_interval": "50ms", "max_log_entries": 100}}}
                """);

        // When
        NodeConfig config = loader(Map.of()).load(file, List.of());

        // Then
        ReplicationConfig replication = config.cluster().replication();
        assertThat(replication.primaryAddress()).isEqualTo(new HostPort("localhost", 6432));
        assertThat(replication.maxLagBytes()).isEqualTo(DataSize.ofMib(16));
        assertThat(replication.maxLagTime()).isEqualTo(Duration.ofMinutes(5));
        assertThat(config.cluster().raft().electionTimeout()).isEqualTo(Duration.ofMillis(150));
        assertThat(config.cluster().raft().electionTimeoutMax()).isEqualTo(Duration.ofMillis(250));
    }

    @ParameterizedTest(name = "rejoin_rate={0} is {1} bytes a second")
    @CsvSource({"0,0", "'',0", "0MB,0", "32kB,32768", "100MB,104857600", "1GB,1073741824"})
    void readsTheRateOfCopiesAndNothingOrZeroAsNoLimit(String text, long bytes) throws IOException {
        // Given
        Path file = write("node.json", """
                {"cluster": {"replication": {"rejoin_rate": "%s"}}}
                """.formatted(text));

        // When
        DataSize byFile =
                loader(Map.of()).load(file, List.of()).cluster().replication().rejoinRate();
        DataSize byFlag = loader(Map.of())
                .load(null, flags("cluster.replication.rejoin_rate=" + text))
                .cluster()
                .replication()
                .rejoinRate();

        // Then
        assertThat(byFile).isEqualTo(new DataSize(bytes));
        assertThat(byFlag).isEqualTo(new DataSize(bytes));
    }

    @Test
    void startsASingleNodeWithoutAnySetting() {
        // When
        NodeConfig config = loader(Map.of()).load(null, List.of());

        // Then
        assertThat(config.cluster().mode()).isEqualTo(NodeMode.NONE);
        assertThat(config.cluster().dataDir()).isEqualTo(dir.resolve("data/cluster"));
        assertThat(config.cluster().raft().electionTimeout()).isEqualTo(Duration.ofMillis(300));
        assertThat(config.cluster().raft().electionTimeoutMax()).isEqualTo(Duration.ofMillis(500));
        assertThat(config.tls().given()).isFalse();
    }

    @Test
    void prefersFlagsToVariablesToTheFileToDefaults() throws IOException {
        // Given
        Path file = write("node.json", """
                {"port": 1111, "log_level": "warn", "host": "127.0.0.3"}
                """);
        var loader = loader(Map.of("QUANTADB_PORT", "2222", "QUANTADB_LOG_LEVEL", "error"));

        // When
        NodeConfig config = loader.load(file, List.of(new Flag("port", "--port", "3333")));

        // Then
        assertThat(config.ports().sql()).isEqualTo(3333);
        assertThat(config.logLevel()).isEqualTo(LogLevel.ERROR);
        assertThat(config.host()).isEqualTo("127.0.0.3");
    }

    @Test
    void readsListsAndMapsFromVariables() {
        // Given
        var loader = loader(Map.of(
                "QUANTADB_CLUSTER_PEERS", "[::1]:6433, b:6434",
                "QUANTADB_POSTGRES_HBA", "[\"host all all 10.0.0.0/8 scram-sha-256\"]",
                "QUANTADB_POSTGRES_PARAMETERS", "{\"work_mem\": \"8MB\", \"max_connections\": 50}"));

        // When
        NodeConfig config = loader.load(null, List.of());

        // Then
        assertThat(config.cluster().peers()).containsExactly(new HostPort("::1", 6433), new HostPort("b", 6434));
        assertThat(config.postgres().hba()).containsExactly("host all all 10.0.0.0/8 scram-sha-256");
        assertThat(config.postgres().parameters()).containsEntry("max_connections", "50");
    }

    @Test
    void leavesLauncherAndServiceLinkVariablesAlone() {
        // Given
        var loader = loader(Map.of(
                "QUANTADB_LAUNCHER", "/bin/quantadb",
                "QUANTADB_SERVICE_HOST", "10.0.0.1",
                "QUANTADB_PORT", "tcp://10.0.0.1:5432"));

        // When
        NodeConfig config = loader.load(null, List.of());

        // Then
        assertThat(config.ports().sql()).isEqualTo(5432);
    }

    @Test
    void findsCertificatesInTheFolderThatInitMade() {
        // When
        NodeConfig config =
                loader(Map.of()).load(null, flags("cluster.node_id=n7", "tls.dir=certs", "tls.ca_file=/etc/ca.pem"));

        // Then
        assertThat(config.tls())
                .isEqualTo(new TlsConfig(
                        dir.resolve("certs"),
                        Path.of("/etc/ca.pem"),
                        dir.resolve("certs/n7.crt"),
                        dir.resolve("certs/n7.key")));
    }

    @ParameterizedTest(name = "{0} is refused: {1}")
    @CsvSource(
            delimiter = '|',
            value = {
                "port=70000|port=70000 must be from 1 to 65535 (port from --port)",
                "port=abc|port=abc is not a whole number; expected: 1 to 65535 (from --port)",
                "port=61536|primary_port=65536 must be from 1 to 65535",
                "api_port=5432|api_port=5432 must differ from port=5432 (api_port from --api_port)",
                "cluster.mode=leader|cluster.mode=leader is not one of none, primary, replica, auto (from --cluster.mode)",
                "cluster.mode=primary|cluster.node_id is missing: a node of a cluster needs a name of its own; give --node-id,"
                        + " for example --node-id node1",
                "cluster.node_id=a b|cluster.node_id=a b: node id 'a b' is not valid: use 1 to 63 letters, digits, '.', '_' or"
                        + " '-', starting and ending with a letter or digit (cluster.node_id from --cluster.node_id)",
                "cluster.raft.heartbeat_interval=200ms|cluster.raft.heartbeat_interval=200ms must be at most a third of"
                        + " cluster.raft.election_timeout=300ms (cluster.raft.heartbeat_interval from"
                        + " --cluster.raft.heartbeat_interval)",
                "cluster.replication.flush_interval=100|cluster.replication.flush_interval=100 is not a duration such as 100ms,"
                        + " 10s or 5m; expected: 1ms to 10s (from --cluster.replication.flush_interval)",
                "cluster.replication.max_lag_bytes=1|cluster.replication.max_lag_bytes=1 is not a size such as 512kB, 16MB or"
                        + " 1GB; expected: 16kB to 1024TB (from --cluster.replication.max_lag_bytes)",
                "cluster.replication.rejoin_rate=16kB|cluster.replication.rejoin_rate=16kB must be 0 for no limit, or from 32kB"
                        + " to 1GB a second (cluster.replication.rejoin_rate from --cluster.replication.rejoin_rate)",
                "cluster.replication.rejoin_rate=1025MB|cluster.replication.rejoin_rate=1025MB must be 0 for no limit, or from"
                        + " 32kB to 1GB a second",
                "cluster.replication.rejoin_rate=100|cluster.replication.rejoin_rate=100 is not a size such as 512kB, 16MB or"
                        + " 1GB; expected: 0 for no limit, 32kB to 1GB (from --cluster.replication.rejoin_rate)",
                "cluster.replication.rejoin_rate=100MB/s|cluster.replication.rejoin_rate=100MB/s is not a size such as 512kB,"
                        + " 16MB or 1GB",
                "cluster.replication.heartbeat_timeout=5s|cluster.replication.heartbeat_timeout=5s must be longer than"
                        + " cluster.replication.heartbeat_interval=10s (cluster.replication.heartbeat_timeout from"
                        + " --cluster.replication.heartbeat_timeout)",
                "cluster.peers=a:1,b|cluster.peers=b is not host:port with a port from 1 to 65535; expected: up to 16 of"
                        + " host:port (from --cluster.peers)",
                "cluster.raft.election_timout=1s|unknown setting 'cluster.raft.election_timout'; did you mean"
                        + " 'cluster.raft.election_timeout'?",
                "tls.ca_file=x|tls.ca_file, tls.cert_file and tls.key_file must be set together, or tls.dir instead of them"
                        + " (tls.ca_file from --tls.ca_file)",
                "cluster.upstream=node2|cluster.upstream=node2 needs cluster.kind=read_replica: one of kind data streams from the"
                        + " primary, since commits may wait for it",
                "postgres.parameters={\"a;b\":\"1\"}|postgres.parameters.a;b must be the name of a PostgreSQL setting",
            })
    void refusesWithOneMessage(String flag, String message) {
        // Given
        List<Flag> flags = flags(flag);

        // When / Then
        assertThatThrownBy(() -> loader(Map.of()).load(null, flags))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith(message)
                .hasMessageNotContainingAny("\n", "Exception", "[Source");
    }

    @ParameterizedTest(name = "{0} is refused: {1}")
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"prot\": 5432}|unknown setting 'prot'; did you mean 'port'? (from file bad.json line 1)",
                "{\"cluster\": {\"nodeid\": \"a\"}}|unknown setting 'cluster.nodeid'; did you mean 'cluster.node_id'? (from file"
                        + " bad.json line 1)",
                "{\"port\": 1, \"port\": 2}|file bad.json is not valid JSON at line 1: Duplicate field 'port'",
                "{\"port\": null}|port must be a single value, not null (from file bad.json line 1)",
                "{\"port\": [1]}|port must be a single value, not an object or list (from file bad.json line 1)",
                "{\"cluster\": 5}|cluster must be an object of settings (from file bad.json line 1)",
                "{\"port\": 1} x|file bad.json is not valid JSON at line 1",
                "[]|file bad.json must hold one JSON object",
                "{|file bad.json is not valid JSON at line 1: Unexpected end-of-input: expected close marker for Object",
            })
    void refusesABadFileWithItsLine(String text, String message) throws IOException {
        // Given
        write("bad.json", text);

        // When / Then
        assertThatThrownBy(() -> loader(Map.of()).load(Path.of("bad.json"), List.of()))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith(message);
    }

    @Test
    void refusesAFileThatIsNotThere() {
        // When / Then
        assertThatThrownBy(() -> loader(Map.of()).load(Path.of("none.json"), List.of()))
                .hasMessage("file %s does not exist (from --config)".formatted(dir.resolve("none.json")));
    }

    @Test
    void refusesAnUnknownVariableAndNamesTheNearest() {
        // When / Then
        assertThatThrownBy(() -> loader(Map.of("QUANTADB_CLUSTER_NODEID", "a")).load(null, List.of()))
                .hasMessage(
                        "unknown environment variable QUANTADB_CLUSTER_NODEID; did you mean QUANTADB_CLUSTER_NODE_ID?");
    }

    @Test
    void refusesAReplicaThatCannotFindItsCluster() {
        // When / Then
        assertThatThrownBy(() -> loader(Map.of()).load(null, flags("cluster.mode=replica", "cluster.node_id=b")))
                .hasMessageStartingWith("cluster.replication.primary_address is missing");
    }

    @Test
    void refusesAWildcardThatOthersCannotDial() {
        // When / Then
        assertThatThrownBy(() ->
                        loader(Map.of()).load(null, flags("cluster.mode=primary", "cluster.node_id=b", "host=0.0.0.0")))
                .hasMessageStartingWith("advertised_host=0.0.0.0 must be a name or address");
    }

    private ConfigLoader loader(Map<String, String> environment) {
        return new ConfigLoader(dir, environment);
    }

    private Path write(String name, String text) throws IOException {
        return Files.writeString(dir.resolve(name), text);
    }

    private static List<Flag> flags(String... pairs) {
        return Arrays.stream(pairs)
                .map(pair -> pair.split("=", 2))
                .map(pair -> new Flag(pair[0], "--" + pair[0], pair[1]))
                .toList();
    }

    @Test
    void leavesTheNodesOwnAddressOutOfItsPeers() {
        // Given one list for all nodes
        List<ConfigLoader.Flag> flags = List.of(
                new ConfigLoader.Flag("cluster.mode", "--set", "auto"),
                new ConfigLoader.Flag("cluster.node_id", "--set", "shop-1"),
                new ConfigLoader.Flag("advertised_host", "--set", "Shop-1.shop-nodes.web.svc"),
                new ConfigLoader.Flag(
                        "cluster.peers",
                        "--set",
                        "shop-0.shop-nodes.web.svc:6432,shop-1.shop-nodes.web.svc:6432,shop-2.shop-nodes.web.svc:6432"));

        // When
        NodeConfig config = new ConfigLoader(Path.of("/x"), Map.of()).load(null, flags);

        // Then
        assertThat(config.otherPeers().stream().map(Object::toString))
                .containsExactly("shop-0.shop-nodes.web.svc:6432", "shop-2.shop-nodes.web.svc:6432");
        assertThat(config.runDir()).isEqualTo(Path.of("/x/data/run"));
    }

    @Test
    void wantsADatabaseAndItsOwnerTogether() {
        ConfigLoader loader = new ConfigLoader(
                Path.of("/x"), Map.of("QUANTADB_BOOTSTRAP_DATABASE", "shop", "QUANTADB_RUN_DIR", "/run/quantadb"));

        assertThatThrownBy(() -> loader.load(null, List.of())).hasMessageContaining("bootstrap.owner");
        NodeConfig config = loader.load(null, List.of(new ConfigLoader.Flag("bootstrap.owner", "--set", "shopper")));
        assertThat(config.bootstrap()).isEqualTo(new BootstrapConfig("shop", "shopper", null));
        assertThat(config.runDir()).isEqualTo(Path.of("/run/quantadb"));
        assertThatThrownBy(
                        () -> loader.load(null, List.of(new ConfigLoader.Flag("bootstrap.owner", "--set", "quantadb"))))
                .hasMessageContaining("agent's own");
    }

    @Test
    void ignoresWhatKubernetesSaysOfServicesThatBearTheName() {
        Map<String, String> links = Map.of(
                "QUANTADB_RW_SERVICE_HOST", "10.0.0.1",
                "QUANTADB_RW_SERVICE_PORT_SQL", "5432",
                "QUANTADB_RW_PORT", "tcp://10.0.0.1:5432",
                "QUANTADB_RW_PORT_5432_TCP_ADDR", "10.0.0.1",
                "QUANTADB_PORT", "tcp://10.0.0.1:5432");

        assertThat(new ConfigLoader(Path.of("/x"), links)
                        .load(null, List.of())
                        .ports()
                        .sql())
                .isEqualTo(5432);
    }
}
