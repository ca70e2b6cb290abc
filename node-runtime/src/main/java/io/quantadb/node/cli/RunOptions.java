package io.quantadb.node.cli;

import io.quantadb.node.config.ConfigLoader.Flag;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The flags that start a node; each is another way to give one setting. */
final class RunOptions {
    private static final Set<String> FLAGS = Set.of(
            "--config",
            "--cluster-mode",
            "--node-id",
            "--data",
            "--host",
            "--advertised-host",
            "--port",
            "--primary",
            "--peers",
            "--tls-dir",
            "--log-level",
            "--set");

    @Option(names = "--config", paramLabel = "FILE", description = "JSON file with settings")
    @Nullable
    Path config;

    @Option(names = "--cluster-mode", paramLabel = "MODE", description = "none, primary, replica or auto")
    @Nullable
    String clusterMode;

    @Option(names = "--node-id", paramLabel = "NAME", description = "names this node for ever")
    @Nullable
    String nodeId;

    @Option(names = "--data", paramLabel = "DIR", description = "the node's data folder")
    @Nullable
    String data;

    @Option(names = "--host", paramLabel = "HOST", description = "where to listen (default localhost)")
    @Nullable
    String host;

    @Option(names = "--advertised-host", paramLabel = "HOST", description = "how other nodes reach this one")
    @Nullable
    String advertisedHost;

    @Option(names = "--port", paramLabel = "PORT", description = "SQL port; the others follow it (default 5432)")
    @Nullable
    String port;

    @Option(names = "--primary", paramLabel = "HOST:PORT", description = "replication address of a member to join")
    @Nullable
    String primary;

    @Option(names = "--peers", paramLabel = "LIST", description = "replication addresses of the other nodes")
    @Nullable
    String peers;

    @Option(names = "--tls-dir", paramLabel = "DIR", description = "certificates made by `quantadb init`")
    @Nullable
    String tlsDir;

    @Option(names = "--log-level", paramLabel = "LEVEL", description = "debug, info, warn or error")
    @Nullable
    String logLevel;

    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "any other setting; may be repeated")
    List<String> set = new ArrayList<>();

    /**
     * Takes flags that are written plainly, each once (but for {@code --set}) and with a value; null for anything else,
     * which picocli then judges. What it takes it takes as picocli would.
     */
    static @Nullable RunOptions plain(String... args) {
        Map<String, String> given = new HashMap<>();
        RunOptions out = new RunOptions();
        for (int i = 0; i < args.length; i++) {
            int equals = args[i].indexOf('=');
            String flag = equals < 0 ? args[i] : args[i].substring(0, equals);
            if (!FLAGS.contains(flag)) {
                return null;
            }
            String value = equals >= 0 ? args[i].substring(equals + 1) : i + 1 < args.length ? args[++i] : "";
            // No value, another flag, a quotation or a file of arguments: picocli has a say in those.
            if (value.isEmpty() || "-@'\"".indexOf(value.charAt(0)) >= 0) {
                return null;
            }
            if (flag.equals("--set")) {
                out.set.add(value);
            } else if (given.put(flag, value) != null) {
                return null;
            }
        }
        String file = given.get("--config");
        out.config = file == null ? null : Path.of(file);
        out.clusterMode = given.get("--cluster-mode");
        out.nodeId = given.get("--node-id");
        out.data = given.get("--data");
        out.host = given.get("--host");
        out.advertisedHost = given.get("--advertised-host");
        out.port = given.get("--port");
        out.primary = given.get("--primary");
        out.peers = given.get("--peers");
        out.tlsDir = given.get("--tls-dir");
        out.logLevel = given.get("--log-level");
        return out;
    }

    List<Flag> flags() {
        List<Flag> out = new ArrayList<>();
        add(out, "cluster.mode", "--cluster-mode", clusterMode);
        add(out, "cluster.node_id", "--node-id", nodeId);
        add(out, "data_dir", "--data", data);
        add(out, "host", "--host", host);
        add(out, "advertised_host", "--advertised-host", advertisedHost);
        add(out, "port", "--port", port);
        add(out, "cluster.replication.primary_address", "--primary", primary);
        add(out, "cluster.peers", "--peers", peers);
        add(out, "tls.dir", "--tls-dir", tlsDir);
        add(out, "log_level", "--log-level", logLevel);
        for (String pair : set) {
            int equals = pair.indexOf('=');
            if (equals < 1) {
                throw new Failure(
                        ExitCode.CONFIG, "--set %s is not KEY=VALUE".formatted(pair), "write --set log_level=debug");
            }
            out.add(new Flag(pair.substring(0, equals), "--set", pair.substring(equals + 1)));
        }
        return out;
    }

    private static void add(List<Flag> flags, String path, String flag, @Nullable String value) {
        if (value != null) {
            flags.add(new Flag(path, flag, value));
        }
    }
}
