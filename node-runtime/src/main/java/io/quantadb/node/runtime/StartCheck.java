package io.quantadb.node.runtime;

import io.quantadb.node.cli.ExitCode;
import io.quantadb.node.cli.Failure;
import io.quantadb.node.config.NodeConfig;
import io.quantadb.node.config.NodeMode;
import io.quantadb.node.config.Ports;
import io.quantadb.node.postgres.ServerConfig;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What can be known to go wrong before a node touches anything: a port that is taken, a data directory that cannot be
 * made, a setting that PostgreSQL may not have, a password file that is missing. Whoever passes may still fail later, with the same words, but with folders made.
 */
final class StartCheck {
    private StartCheck() {}

    static void run(NodeConfig config) {
        requireWritable(config.dataDir());
        requireWritable(config.cluster().dataDir());
        requireWritable(config.runDir());
        ports(config).forEach((setting, port) -> requireFree(config.host(), setting, port));
        Steps.run(
                ExitCode.CONFIG,
                () -> ServerConfig.requireAllowed(
                        config.postgres().parameters(), config.postgres().hba()));
        boolean mayCreate =
                config.cluster().mode() == NodeMode.PRIMARY || config.cluster().mode() == NodeMode.NONE;
        if (mayCreate && !Files.exists(config.postgresDataDir().resolve("PG_VERSION"))) {
            NodeIdentity.requirePasswords(config);
        }
    }

    private static Map<String, Integer> ports(NodeConfig config) {
        Ports p = config.ports();
        Map<String, Integer> out = new LinkedHashMap<>();
        out.put("port", p.sql());
        out.put("primary_port", p.primary());
        out.put("api_port", p.api());
        if (config.cluster().mode() != NodeMode.NONE) {
            out.put("replication_port", p.replication());
            out.put("raft_port", p.raft());
        }
        return out;
    }

    private static void requireFree(String host, String setting, int port) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            InetSocketAddress address = new InetSocketAddress(InetAddress.getByName(host), port);
            socket.bind(address, 1);
        } catch (java.net.UnknownHostException e) {
            throw new Failure(
                    ExitCode.CONFIG, "host=%s is no name or address of this machine".formatted(host), "correct it", e);
        } catch (IOException e) {
            String words = String.valueOf(e.getMessage());
            if (words.contains("Cannot assign requested address")) {
                throw new Failure(
                        ExitCode.CONFIG,
                        "host=%s is no address of this machine".formatted(host),
                        "give --host an address that it has, or 0.0.0.0 and --advertised-host",
                        e);
            }
            String why = words.contains("in use")
                    ? "is taken by another program: end that program"
                    : "cannot be listened on (%s): give the right to do so".formatted(words);
            throw new Failure(
                    ExitCode.PORT,
                    "port %d of %s (%s) %s, or set another %s".formatted(port, host, setting, why, setting),
                    "",
                    e);
        }
    }

    private static void requireWritable(Path folder) {
        Path there = folder.toAbsolutePath().normalize();
        while (there.getParent() != null && !Files.exists(there)) {
            there = there.getParent();
        }
        if (!Files.isDirectory(there)) {
            throw new Failure(
                    ExitCode.DATA_DIRECTORY,
                    "%s is needed as a folder, and %s is a file".formatted(folder, there),
                    "choose another with --data");
        }
        if (!Files.isWritable(there)) {
            throw new Failure(
                    ExitCode.DATA_DIRECTORY,
                    "%s cannot be written by user '%s', so the data directory %s cannot be used"
                            .formatted(there, System.getProperty("user.name", "?"), folder),
                    "give that user the right to write, or choose another with --data");
        }
    }
}
