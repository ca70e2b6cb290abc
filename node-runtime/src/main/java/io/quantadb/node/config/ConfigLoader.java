package io.quantadb.node.config;

import io.quantadb.node.common.NodeId;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Makes a {@link NodeConfig}: flags win over environment variables, those over the file, that over defaults. Every
 * refusal is a {@link ConfigException} that says which setting, which value, which bound, and where it was set.
 */
public final class ConfigLoader {
    private static final String PREFIX = "QUANTADB_";
    private static final int FILE_BYTES_MAX = 1 << 20;

    private static final Pattern SERVICE_LINK =
            Pattern.compile("QUANTADB(_.+)?(_SERVICE_HOST|_SERVICE_PORT(_.+)?|_PORT_\\d+_(TCP|UDP|SCTP)(_.+)?)");

    /** Variables of the launcher, the demo and the benches, which are not settings. */
    private static final Set<String> NOT_SETTINGS = Set.of(
            "QUANTADB_LAUNCHER",
            "QUANTADB_HOME",
            "QUANTADB_JAVA_HOME",
            "QUANTADB_JAVA_OPTS",
            "QUANTADB_HEAP",
            "QUANTADB_DIRECT_MEMORY",
            "QUANTADB_TIER",
            "QUANTADB_AOT_RECORD",
            "QUANTADB_DEMO_DIR",
            "QUANTADB_COMMIT");

    /**
     * One value given on the command line.
     *
     * @param path the setting
     * @param flag how the user wrote it, for messages: {@code --port}
     */
    public record Flag(String path, String flag, String value) {}

    private final Path workDir;
    private final Map<String, String> environment;

    /**
     * @param workDir what relative paths are relative to
     * @param environment the process's environment variables
     */
    public ConfigLoader(Path workDir, Map<String, String> environment) {
        this.workDir = workDir;
        this.environment = Map.copyOf(environment);
    }

    /** Reads all layers; {@code file} may be null. */
    public NodeConfig load(@Nullable Path file, List<Flag> flags) {
        Settings settings = new Settings(workDir);
        if (file != null) {
            JsonSettings.read(text(workDir.resolve(file)), "file " + file, settings);
        }
        environment.keySet().stream().sorted().forEach(name -> variable(name, settings));
        for (Flag flag : flags) {
            put(settings, Keys.get(flag.path()), flag.value(), flag.flag());
        }
        return settings.build(ConfigLoader::node);
    }

    private static String text(Path file) {
        try {
            if (Files.size(file) > FILE_BYTES_MAX) {
                throw new ConfigException("file %s is larger than 1MB: not a configuration".formatted(file));
            }
            return Files.readString(file);
        } catch (NoSuchFileException e) {
            throw new ConfigException("file %s does not exist (from --config)".formatted(file), e);
        } catch (CharacterCodingException e) {
            throw new ConfigException("file %s is not UTF-8 text (from --config)".formatted(file), e);
        } catch (IOException e) {
            throw new ConfigException("file %s cannot be read: %s (from --config)".formatted(file, e.getMessage()), e);
        }
    }

    /** Whether an environment variable is read as a setting (or refused as an unknown one). */
    public static boolean isSetting(String variable) {
        return variable.startsWith(PREFIX) && !NOT_SETTINGS.contains(variable);
    }

    private void variable(String name, Settings settings) {
        if (!isSetting(name) || isServiceLink(name)) {
            return;
        }
        for (Key key : Keys.ALL) {
            if (key.variable().equals(name)) {
                put(settings, key, environment.getOrDefault(name, ""), "environment variable " + name);
                return;
            }
        }
        String nearest = Keys.ALL.stream()
                .map(Key::variable)
                .min(java.util.Comparator.comparingInt(v -> Keys.distance(v, name)))
                .orElseThrow();
        throw new ConfigException("unknown environment variable %s; did you mean %s?".formatted(name, nearest));
    }

    /**
     * Kubernetes puts {@code X_SERVICE_HOST}, {@code X_PORT} and the like into every pod beside a service X, which may be
     * called {@code quantadb} or {@code quantadb-rw}.
     */
    private boolean isServiceLink(String name) {
        return SERVICE_LINK.matcher(name).matches()
                || (name.endsWith("_PORT") && environment.getOrDefault(name, "").matches("(tcp|udp|sctp)://.*"));
    }

    private static void put(Settings settings, Key key, String value, String origin) {
        Settings.Value read = switch (key.kind()) {
            // An IPv6 address starts with a bracket too, a JSON list of texts with a bracket and a quote.
            case LIST ->
                value.startsWith("[\"") || value.equals("[]")
                        ? JsonSettings.value(key, value, origin)
                        : Settings.Value.list(split(value), origin);
            case MAP -> JsonSettings.value(key, value, origin);
            default -> Settings.Value.text(value, origin);
        };
        settings.put(key.path(), read);
    }

    private static List<String> split(String value) {
        return java.util.Arrays.stream(value.split(","))
                .map(String::strip)
                .filter(part -> !part.isEmpty())
                .toList();
    }

    private static NodeConfig node(Settings s) {
        String host = s.required("host");
        NodeMode mode = s.choice("cluster.mode", NodeMode.class);
        Path dataDir = java.util.Objects.requireNonNull(s.path("data_dir"));
        return new NodeConfig(
                host,
                s.text("advertised_host").orElse(host),
                ports(s),
                dataDir,
                runDir(s, dataDir),
                s.choice("log_level", LogLevel.class),
                cluster(s, mode, dataDir),
                new BootstrapConfig(
                        s.text("bootstrap.database").orElse(null),
                        s.text("bootstrap.owner").orElse(null),
                        s.path("bootstrap.owner_password_file")),
                new PostgresConfig(
                        s.path("postgres.bin_dir"),
                        s.text("postgres.os_user").orElse(null),
                        s.required("postgres.superuser"),
                        s.path("postgres.superuser_password_file"),
                        s.map("postgres.parameters"),
                        s.list("postgres.hba"),
                        s.choice("postgres.rewind", RewindMode.class)),
                tls(s, nodeId(s, mode)),
                new ClientTlsConfig(
                        s.choice("client_tls.mode", ClientTlsMode.class),
                        s.path("client_tls.cert_file"),
                        s.path("client_tls.key_file")));
    }

    private static Path runDir(Settings s, Path dataDir) {
        Path own = s.path("run_dir");
        return own == null ? dataDir.resolve("run") : own;
    }

    private static Ports ports(Settings s) {
        int sql = s.number("port");
        return new Ports(
                sql,
                portOr(s, "replication_port", sql + Ports.REPLICATION_OFFSET),
                portOr(s, "raft_port", sql + Ports.RAFT_OFFSET),
                portOr(s, "api_port", sql + Ports.API_OFFSET),
                portOr(s, "primary_port", sql + Ports.PRIMARY_OFFSET));
    }

    private static int portOr(Settings s, String path, int derived) {
        return s.has(path) ? s.number(path) : derived;
    }

    private static NodeId nodeId(Settings s, NodeMode mode) {
        String text = s.text("cluster.node_id").orElse(mode == NodeMode.NONE ? "node1" : "");
        if (text.isEmpty()) {
            throw new ConfigException("cluster.node_id is missing: a node of a cluster needs a name of its own; give"
                    + " --node-id, for example --node-id node1");
        }
        try {
            return new NodeId(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("cluster.node_id=%s: %s".formatted(text, e.getMessage()), e);
        }
    }

    private static NodeId upstream(String text) {
        try {
            return new NodeId(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("cluster.upstream=%s: %s".formatted(text, e.getMessage()), e);
        }
    }

    private static ClusterConfig cluster(Settings s, NodeMode mode, Path dataDir) {
        Path own = s.path("cluster.data_dir");
        return new ClusterConfig(
                nodeId(s, mode),
                mode,
                own == null ? dataDir.resolve("cluster") : own,
                s.addresses("cluster.peers"),
                s.number("cluster.priority"),
                s.choice("cluster.kind", NodeKind.class),
                s.duration("cluster.join_timeout"),
                s.text("cluster.region").orElse(""),
                s.text("cluster.zone").orElse(""),
                s.text("cluster.upstream").map(ConfigLoader::upstream).orElse(null),
                replication(s),
                raft(s),
                new FailoverConfig(
                        s.duration("cluster.failover.disk_timeout"),
                        s.duration("cluster.failover.postgres_timeout"),
                        s.duration("cluster.failover.move_delay"),
                        s.choice("cluster.failover.across_regions", Toggle.class) == Toggle.ON));
    }

    private static ReplicationConfig replication(Settings s) {
        String at = "cluster.replication.";
        return new ReplicationConfig(
                s.address(at + "primary_address"),
                s.size(at + "stream_buffer_size"),
                s.number(at + "batch_size"),
                s.duration(at + "flush_interval"),
                s.duration(at + "heartbeat_interval"),
                s.duration(at + "heartbeat_timeout"),
                s.size(at + "max_lag_bytes"),
                s.duration(at + "max_lag_time"),
                s.duration(at + "connect_timeout"),
                s.duration(at + "reconnect_interval"),
                s.number(at + "max_reconnect_tries"),
                s.duration(at + "snapshot_timeout"),
                s.sizeOrNone(at + "rejoin_rate"),
                s.duration(at + "slow_standby_after"),
                s.choice(at + "commit_mode", CommitMode.class));
    }

    private static RaftConfig raft(Settings s) {
        var election = s.duration("cluster.raft.election_timeout");
        return new RaftConfig(
                election,
                s.has("cluster.raft.election_timeout_max")
                        ? s.duration("cluster.raft.election_timeout_max")
                        : election.multipliedBy(5).dividedBy(3),
                s.has("cluster.raft.election_timeout_limit")
                        ? s.duration("cluster.raft.election_timeout_limit")
                        : limit(election),
                s.duration("cluster.raft.heartbeat_interval"),
                s.duration("cluster.raft.flush_interval"),
                s.number("cluster.raft.resync_threshold"),
                s.number("cluster.raft.max_log_entries"));
    }

    /** Ten times as long, within a minute; never below what was chosen. */
    private static Duration limit(Duration election) {
        Duration most = Duration.ofMinutes(1);
        Duration times = election.multipliedBy(10);
        Duration limit = times.compareTo(most) > 0 ? most : times;
        return limit.compareTo(election) < 0 ? election : limit;
    }

    private static TlsConfig tls(Settings s, NodeId node) {
        Path dir = s.path("tls.dir");
        return new TlsConfig(
                dir,
                fileIn(dir, s.path("tls.ca_file"), "ca.crt"),
                fileIn(dir, s.path("tls.cert_file"), node + ".crt"),
                fileIn(dir, s.path("tls.key_file"), node + ".key"));
    }

    private static @Nullable Path fileIn(@Nullable Path dir, @Nullable Path own, String name) {
        return own != null || dir == null ? own : dir.resolve(name);
    }
}
