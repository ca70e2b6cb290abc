package io.quantadb.node.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quantadb.node.config.Ports;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/** What lies in a demo's folder: passwords, and one folder with settings, log and data per node. */
final class DemoFolder {
    private static final String ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final Path folder;

    DemoFolder(Path folder) {
        this.folder = folder;
    }

    /** Where demos live: a folder that PostgreSQL's own user can reach when the agents run as root. */
    static Path usual(Map<String, String> environment) {
        String own = environment.getOrDefault("QUANTADB_DEMO_DIR", "");
        if (!own.isEmpty()) {
            return Path.of(own).toAbsolutePath().normalize();
        }
        if (System.getProperty("user.name", "").equals("root")) {
            return Path.of("/var/lib/quantadb/demo");
        }
        String state = environment.getOrDefault("XDG_STATE_HOME", "");
        Path base = state.startsWith("/")
                ? Path.of(state)
                : Path.of(System.getProperty("user.home", "."), ".local", "state");
        return base.resolve("quantadb").resolve("demo");
    }

    /** The folder that the user named, else the usual one. */
    static Path named(@org.jspecify.annotations.Nullable Path dir, Map<String, String> environment) {
        return dir == null ? usual(environment) : dir.toAbsolutePath().normalize();
    }

    Path passfile() {
        return folder.resolve("pgpass");
    }

    Path passwordFile() {
        return folder.resolve("superuser.password");
    }

    /** Makes the folder and, once, the superuser's password in both forms that are needed. */
    void prepare(SecureRandom random) {
        try {
            Files.createDirectories(folder);
            letOthersThrough(folder);
        } catch (IOException e) {
            throw new Failure(
                    ExitCode.DATA_DIRECTORY,
                    "%s cannot be made: %s".formatted(folder, e.getMessage()),
                    "choose another folder with --dir",
                    e);
        }
        if (!Files.exists(passwordFile())) {
            StringBuilder password = new StringBuilder();
            for (int i = 0; i < 24; i++) {
                password.append(ALPHABET.charAt(random.nextInt(ALPHABET.length())));
            }
            PrivateFiles.write(passfile(), "*:*:*:postgres:" + password + "\n");
            PrivateFiles.write(passwordFile(), password + "\n");
        }
    }

    /** When the agents are root, PostgreSQL is another user, who must reach its data whatever the umask was. */
    private static void letOthersThrough(Path folder) throws IOException {
        if (System.getProperty("user.name", "").equals("root")) {
            Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
    }

    /**
     * Writes the settings of a node; the first of {@code all} forms the cluster when its disk is empty and the others
     * know of none, the others join it.
     */
    void writeSettings(DemoNode node, List<DemoNode> all, String logLevel, Map<String, String> extra) {
        DemoNode first = all.getFirst();
        ObjectNode root = MAPPER.createObjectNode();
        Ports p = node.ports();
        root.put("host", node.host())
                .put("port", p.sql())
                .put("replication_port", p.replication())
                .put("raft_port", p.raft())
                .put("api_port", p.api())
                .put("primary_port", p.primary())
                .put("data_dir", node.folder().resolve("data").toString())
                .put("log_level", logLevel);
        ObjectNode cluster = root.putObject("cluster").put("node_id", node.id().value());
        if (node.id().equals(first.id())) {
            cluster.put("mode", "primary");
        } else {
            cluster.put("mode", "replica");
            cluster.putObject("replication")
                    .put("primary_address", first.host() + ":" + first.ports().replication());
        }
        var peers = cluster.putArray("peers");
        all.stream()
                .filter(other -> !other.id().equals(node.id()))
                .forEach(other -> peers.add(other.host() + ":" + other.ports().replication()));
        root.putObject("postgres").put("superuser_password_file", passwordFile().toString());
        extra.forEach((path, value) -> {
            ObjectNode at = root;
            String[] parts = path.split("\\.");
            for (int i = 0; i < parts.length - 1; i++) {
                at = at.withObjectProperty(parts[i]);
            }
            at.put(parts[parts.length - 1], value);
        });
        try {
            Files.createDirectories(node.folder());
            letOthersThrough(node.folder());
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        PrivateFiles.write(node.settings(), root.toPrettyString() + "\n");
    }

    /**
     * The first of these SQL ports from which {@code count} nodes find all their ports free.
     *
     * @throws Failure when there is none
     */
    static int firstFreeBase(List<Integer> bases, int count, IntPredicate free) {
        for (int base : bases) {
            boolean all = IntStream.range(0, count)
                    .mapToObj(i -> Ports.from(base + i))
                    .flatMapToInt(p -> IntStream.of(p.sql(), p.replication(), p.raft(), p.api(), p.primary()))
                    .allMatch(free);
            if (all) {
                return base;
            }
        }
        throw new Failure(
                ExitCode.PORT,
                "ports are taken on %s from each of %s on (each with +1000 to +4000)".formatted(DemoNode.HOST, bases),
                "free some, or choose with --port");
    }

    static boolean isFree(int port) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(InetAddress.ofLiteral(DemoNode.HOST), port));
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
