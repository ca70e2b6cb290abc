package io.quantadb.node.process;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quantadb.node.cli.ClusterClient;
import io.quantadb.node.cli.QuantaDb;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.config.Ports;
import io.quantadb.node.pki.ClusterCa;
import io.quantadb.node.pki.ClusterRole;
import io.quantadb.node.pki.NodeCredentials;
import io.quantadb.node.pki.TlsFiles;
import io.quantadb.node.testing.PostgresBinaries;
import io.quantadb.node.testing.PostgresVersion;
import io.quantadb.node.testing.TestFork;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/** Three agents in mode auto on loopback, as an operator of a container platform would run them. */
final class AutoNodes implements AutoCloseable {
    static final String OWNER_PASSWORD = "a-s3cret-of-the-owner";
    private static final int FIRST_PORT = TestFork.port(15460);
    private static final ObjectMapper MAPPER = new ObjectMapper();

    /** An HTTP status and the body with it. */
    record Reply(int status, JsonNode body) {}

    private final Path folder;
    private final ClusterCa ca;
    private final SSLContext operator;
    private final SSLContext viewer;
    private final TreeMap<Integer, Process> running = new TreeMap<>();

    AutoNodes() throws Exception {
        folder = Files.createTempDirectory("qau");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        ca = ClusterCa.create(folder.resolve("tls"), "shop", InstantSource.system());
        for (int i = 0; i < 3; i++) {
            var _ = ca.issueNode(new NodeId(id(i)), List.of("127.0.0.1"), ClusterCa.NODE_VALIDITY);
        }
        operator = tls(ca.issueRole(ClusterRole.OPERATOR, new NodeId("admin"), ClusterCa.NODE_VALIDITY));
        viewer = tls(ca.issueRole(ClusterRole.VIEWER, new NodeId("eve"), ClusterCa.NODE_VALIDITY));
        Path password = Files.writeString(folder.resolve("owner.password"), OWNER_PASSWORD + "\n");
        Files.setPosixFilePermissions(password, PosixFilePermissions.fromString("rw-------"));
    }

    static String id(int i) {
        return "shop-" + i;
    }

    static Ports ports(int i) {
        return Ports.from(FIRST_PORT + 3 * i);
    }

    HostPort api(int i) {
        return new HostPort("127.0.0.1", ports(i).api());
    }

    Path data(int i) {
        return folder.resolve("d" + i);
    }

    String log(int i) throws IOException {
        return Files.readString(folder.resolve(id(i) + ".log"));
    }

    Process start(int i) throws IOException {
        ObjectNode root = MAPPER.createObjectNode();
        root.put("host", "127.0.0.1").put("port", ports(i).sql()).put("data_dir", data(i).toString());
        root.putObject("tls").put("dir", folder.resolve("tls").toString());
        root.putObject("postgres")
                .put(
                        "bin_dir",
                        PostgresBinaries.require(PostgresVersion.V15).bin().toString());
        root.putObject("bootstrap")
                .put("database", "store")
                .put("owner", "keeper")
                .put("owner_password_file", folder.resolve("owner.password").toString());
        ArrayNode peers = root.putObject("cluster")
                .put("node_id", id(i))
                .put("mode", "auto")
                .putArray("peers");
        for (int peer = 0; peer < 3; peer++) {
            peers.add("127.0.0.1:" + ports(peer).replication());
        }
        Path settings = Files.writeString(folder.resolve(id(i) + ".json"), root.toString());
        Process process = new ProcessBuilder(
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
                .redirectOutput(ProcessBuilder.Redirect.appendTo(
                        folder.resolve(id(i) + ".log").toFile()))
                .start();
        running.put(i, process);
        return process;
    }

    Process process(int i) {
        return running.get(i);
    }

    /** Asks anonymously over plain HTTP, as loopback permits; -1 when there is no answer. */
    int probe(int i, String path) {
        return new ClusterClient(null).get(api(i), path).isEmpty()
                ? -1
                : status(null, "http", i, path, "").status();
    }

    Reply permit(int i, String uid) {
        return status(operator, "https", i, "/cluster/bootstrap", "{\"cluster\":\"" + uid + "\"}");
    }

    Reply permitAsViewer(int i, String uid) {
        return status(viewer, "https", i, "/cluster/bootstrap", "{\"cluster\":\"" + uid + "\"}");
    }

    Reply nodes(int i) {
        return status(viewer, "https", i, "/cluster/nodes", "");
    }

    /** Over a connection of its own: one that was kept may be closed by the node at the moment at which it is used again. */
    private Reply status(@Nullable SSLContext tls, String scheme, int i, String path, String body) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(scheme + "://" + api(i) + path))
                .timeout(Duration.ofSeconds(30));
        try (HttpClient client = client(tls)) {
            HttpResponse<byte[]> answer = client.send(
                    (body.isEmpty() ? request.GET() : request.POST(HttpRequest.BodyPublishers.ofString(body))).build(),
                    HttpResponse.BodyHandlers.ofByteArray());
            return new Reply(answer.statusCode(), MAPPER.readTree(answer.body()));
        } catch (IOException e) {
            return new Reply(-1, MAPPER.createObjectNode().put("error", e.toString()));
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static HttpClient client(@Nullable SSLContext tls) {
        HttpClient.Builder client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(Duration.ofSeconds(5));
        return (tls == null ? client : client.sslContext(tls)).build();
    }

    private static SSLContext tls(TlsFiles files) throws Exception {
        NodeCredentials own = NodeCredentials.load(files, InstantSource.system().instant());
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setKeyEntry("own", own.key(), new char[0], own.chain().toArray(X509Certificate[]::new));
        store.setCertificateEntry("ca", own.authorities().getFirst());
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, new char[0]);
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext tls = SSLContext.getInstance("TLS");
        tls.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return tls;
    }

    void empty(int i) throws IOException {
        remove(data(i));
    }

    private static void remove(Path tree) throws IOException {
        try (var walk = Files.walk(tree)) {
            for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    @Override
    public void close() throws Exception {
        Path logs = Files.createDirectories(Path.of("target", "process", "AutoFormationPT"));
        running.values().forEach(Process::destroy);
        for (Process process : running.values()) {
            if (!process.waitFor(40, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
            }
        }
        for (int i : running.keySet()) {
            Files.copy(
                    folder.resolve(id(i) + ".log"),
                    logs.resolve(id(i) + ".log"),
                    java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        }
        remove(folder);
    }
}
