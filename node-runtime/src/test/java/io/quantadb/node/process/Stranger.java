package io.quantadb.node.process;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quantadb.node.cli.CertificateAuthority;
import io.quantadb.node.cli.DemoNode;
import io.quantadb.node.cli.QuantaDb;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.config.Ports;
import io.quantadb.node.testing.PostgresBinaries;
import io.quantadb.node.testing.PostgresVersion;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.ServiceLoader;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A real agent that is told to join a cluster through one of its nodes, and has no right to. */
final class Stranger implements AutoCloseable {
    private final Path folder;
    private final Process process;

    private Stranger(Path folder, Process process) {
        this.folder = folder;
        this.process = process;
    }

    /** With a certificate of another cluster's authority. */
    static Stranger knocksAt(DemoNode door, Path folder) throws Exception {
        Path tls = Files.createDirectories(folder.resolve("tls"));
        CertificateAuthority authority =
                ServiceLoader.load(CertificateAuthority.class).findFirst().orElseThrow();
        authority.createAuthority(tls, "another");
        authority.issueNode(tls, new NodeId("node4"), List.of("127.0.0.1"), Duration.ofDays(1));
        return start("node4", tls, door, folder);
    }

    /** With a certificate of the cluster, and the name of one of its nodes. */
    static Stranger bearsTheNameOf(DemoNode node, DemoNode door, Path folder) throws Exception {
        return start(node.id().value(), null, door, folder);
    }

    private static Stranger start(String id, @Nullable Path tls, DemoNode door, Path folder) throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        return new Stranger(folder, start(settings(folder, id, tls, door), folder.resolve("agent.log")));
    }

    /** Waits until it has ended by itself; returns its exit status. */
    int awaitEnd() throws InterruptedException {
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            throw new AssertionError("it still runs");
        }
        return process.exitValue();
    }

    String log() throws Exception {
        return Files.readString(folder.resolve("agent.log"), StandardCharsets.UTF_8);
    }

    /** Everything that it keeps lies below. */
    Path data() {
        return folder.resolve("data");
    }

    @Override
    public void close() throws InterruptedException {
        process.destroy();
        if (!process.waitFor(30, TimeUnit.SECONDS)) {
            process.destroyForcibly();
        }
    }

    private static Path settings(Path folder, String id, @Nullable Path tls, DemoNode first) throws Exception {
        Ports p = Ports.from(TestingThree.FIRST_PORT + 6);
        ObjectNode root = new ObjectMapper().createObjectNode();
        root.put("host", "127.0.0.1")
                .put("port", p.sql())
                .put("replication_port", p.replication())
                .put("raft_port", p.raft())
                .put("api_port", p.api())
                .put("primary_port", p.primary())
                .put("data_dir", folder.resolve("data").toString());
        if (tls != null) {
            root.putObject("tls").put("dir", tls.toString());
        }
        root.putObject("postgres")
                .put(
                        "bin_dir",
                        PostgresBinaries.require(PostgresVersion.V15).bin().toString());
        root.putObject("cluster")
                .put("node_id", id)
                .put("mode", "replica")
                .putObject("replication")
                .put("primary_address", first.host() + ":" + first.ports().replication());
        Path file = folder.resolve("node.json");
        Files.writeString(file, root.toString());
        return file;
    }

    private static Process start(Path settings, Path log) throws Exception {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx64m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow",
                        "-cp",
                        System.getProperty("java.class.path"),
                        QuantaDb.class.getName(),
                        "--config",
                        settings.toString())
                .redirectInput(new File("/dev/null"))
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
    }
}
