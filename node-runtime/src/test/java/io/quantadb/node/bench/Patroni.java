package io.quantadb.node.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quantadb.node.cli.NodeProcesses;
import io.quantadb.node.cli.ProcessMark;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Three nodes of Patroni, each with a member of etcd beside it, and an HAProxy in front, as Patroni's documentation sets
 * them up: every time-out is a default of theirs. Added is only what brings a killed node back without a hand: pg_rewind,
 * and a new copy where that does not do. All listen on loopback, and all that is started is recorded and ended by its
 * number.
 */
final class Patroni implements Contender {
    private static final int NODES = 3;
    private static final Duration READY = Duration.ofMinutes(5);
    private static final Duration ASK = Duration.ofSeconds(5);
    private static final String PASSWORD = "bench";
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final PatroniPrograms programs;
    private final String versions;
    private final Path folder;
    private final int port;
    private final PeerProcesses processes;
    private final HttpClient http = HttpClient.newBuilder().connectTimeout(ASK).build();
    private final Thread whenKilled = new Thread(this::end, "bench-peer-cleanup");

    private Patroni(PatroniPrograms programs, Path folder, int port) throws IOException, InterruptedException {
        this.programs = programs;
        this.versions = programs.versions();
        this.folder = folder;
        this.port = port;
        this.processes =
                new PeerProcesses(folder.resolveSibling("patroni-pids"), folder.resolveSibling("patroni-logs"));
    }

    /** A new cluster, whatever was there before; returns when all nodes stream and the proxy leads to the primary. */
    static Patroni up(PatroniPrograms programs, Path parent, Map<String, String> env)
            throws IOException, InterruptedException {
        int base = Integer.parseInt(env.getOrDefault("BENCH_PORT", "20432")) + 5_000;
        Files.createDirectories(parent);
        Patroni out = new Patroni(programs, parent.resolve("patroni"), base);
        Runtime.getRuntime().addShutdownHook(out.whenKilled);
        try {
            out.endServers();
            out.processes.endAll();
            out.prepare();
            for (int node = 0; node < NODES; node++) {
                out.startNode(node);
            }
            out.startProxy();
            out.awaitReady();
            return out;
        } catch (IOException | InterruptedException | RuntimeException e) {
            out.close();
            throw e;
        }
    }

    // ---- what it is made of

    private void prepare() throws IOException, InterruptedException {
        remove(folder);
        Files.createDirectories(folder);
        for (int node = 0; node < NODES; node++) {
            Files.createDirectories(home(node).resolve("etcd"));
            Files.writeString(home(node).resolve("patroni.yml"), settings(node));
        }
        Files.writeString(folder.resolve("haproxy.cfg"), proxySettings());
        Path passfile = folder.resolve("pgpass");
        Files.writeString(passfile, "127.0.0.1:*:*:postgres:" + PASSWORD + "\n");
        Files.setPosixFilePermissions(passfile, PosixFilePermissions.fromString("rw-------"));
        if (PeerProcesses.isRoot()) {
            run(List.of("chown", "-R", "postgres:", folder.toString()));
            // pgbench is the bench's own, and libpq wants the file to be its user's.
            run(List.of("chown", "root:", passfile.toString()));
        }
    }

    private String settings(int node) {
        return """
                scope: bench
                name: %1$s
                restapi:
                  listen: 127.0.0.1:%2$d
                  connect_address: 127.0.0.1:%2$d
                etcd3:
                  hosts: [%3$s]
                bootstrap:
                  dcs:
                    postgresql:
                      use_pg_rewind: true
                  initdb: [{encoding: UTF8}, {locale: C}, data-checksums]
                  pg_hba:
                    - local all all trust
                    - host replication replicator 127.0.0.1/32 scram-sha-256
                    - host all all 127.0.0.1/32 scram-sha-256
                postgresql:
                  listen: 127.0.0.1:%4$d
                  connect_address: 127.0.0.1:%4$d
                  data_dir: %5$s/data
                  bin_dir: %6$s
                  pgpass: %5$s/pgpass
                  remove_data_directory_on_rewind_failure: true
                  remove_data_directory_on_diverged_timelines: true
                  authentication:
                    superuser: {username: postgres, password: %7$s}
                    replication: {username: replicator, password: %7$s}
                    rewind: {username: rewinder, password: %7$s}
                  parameters:
                    unix_socket_directories: %5$s
                """.formatted(
                        name(node),
                        restPort(node),
                        each("127.0.0.1:%2$d"),
                        port + node,
                        home(node),
                        programs.program("postgres"),
                        PASSWORD);
    }

    /** As in Patroni's own {@code haproxy.cfg}. */
    private String proxySettings() {
        StringBuilder out = new StringBuilder("""
                global
                    maxconn 100
                defaults
                    mode tcp
                    retries 2
                    timeout client 30m
                    timeout connect 4s
                    timeout server 30m
                    timeout check 5s
                listen primary
                    bind 127.0.0.1:%d
                    option httpchk
                    http-check expect status 200
                    default-server inter 3s fall 3 rise 2 on-marked-down shutdown-sessions
                """.formatted(proxyPort()));
        for (int node = 0; node < NODES; node++) {
            out.append("    server %s 127.0.0.1:%d maxconn 100 check port %d%n"
                    .formatted(name(node), port + node, restPort(node)));
        }
        return out.toString();
    }

    private void startNode(int node) throws IOException {
        Path home = home(node);
        processes.start(
                "etcd-" + name(node),
                List.of(
                        programs.program("etcd").toString(),
                        "--name",
                        name(node),
                        "--data-dir",
                        home.resolve("etcd").resolve("data").toString(),
                        "--listen-client-urls",
                        "http://127.0.0.1:" + etcdPort(node),
                        "--advertise-client-urls",
                        "http://127.0.0.1:" + etcdPort(node),
                        "--listen-peer-urls",
                        "http://127.0.0.1:" + (etcdPort(node) + 10),
                        "--initial-advertise-peer-urls",
                        "http://127.0.0.1:" + (etcdPort(node) + 10),
                        "--initial-cluster",
                        each("%1$s=http://127.0.0.1:%3$d"),
                        "--initial-cluster-state",
                        "new"),
                home);
        processes.start(
                "patroni-" + name(node),
                List.of(
                        programs.program("patroni").toString(),
                        home.resolve("patroni.yml").toString()),
                home);
    }

    private void startProxy() throws IOException {
        processes.start(
                "haproxy",
                List.of(
                        programs.program("haproxy").toString(),
                        "-db",
                        "-f",
                        folder.resolve("haproxy.cfg").toString()),
                folder);
    }

    // ---- as the bench sees it

    @Override
    public String name() {
        return versions;
    }

    @Override
    public String settings() {
        return "peer " + versions + ", defaults, every=%dms".formatted(Rounds.EVERY.toMillis());
    }

    @Override
    public String mode() {
        return "async";
    }

    @Override
    public boolean judged() {
        return false;
    }

    /** Half a minute is its usual, and the bench must see the end of it. */
    @Override
    public Duration backDeadline() {
        return Duration.ofMinutes(2);
    }

    @Override
    public ClusterSql sql() {
        return new ClusterSql(List.of("127.0.0.1:" + proxyPort()), PASSWORD);
    }

    @Override
    public String url() {
        return "postgresql://postgres@127.0.0.1:%d/postgres?passfile=%s"
                .formatted(proxyPort(), folder.resolve("pgpass"));
    }

    @Override
    public Path folder() {
        return folder;
    }

    @Override
    public void describe(ObjectNode header) {
        header.put("peer", versions).put("peer_settings", "ttl 30, loop_wait 10, retry_timeout 10; asynchronous");
    }

    @Override
    public long awaitReady() throws IOException, InterruptedException {
        long giveUp = System.nanoTime() + READY.toNanos();
        while (true) {
            Optional<JsonNode> seen = members();
            if (seen.filter(Patroni::whole).isPresent() && allStream()) {
                return leader(seen.get()).path("timeline").asLong();
            }
            if (System.nanoTime() > giveUp) {
                throw new IOException("Patroni's nodes were not ready within %s; see %s: %s"
                        .formatted(READY, folder.resolveSibling("patroni-logs"), seen));
            }
            TimeUnit.MILLISECONDS.sleep(200);
        }
    }

    @Override
    public long epoch() throws IOException, InterruptedException {
        return leader(members().orElseThrow(() -> new IOException("no node of Patroni answers")))
                .path("timeline")
                .asLong();
    }

    /** One leader, all the others on its timeline. */
    static boolean whole(JsonNode members) {
        JsonNode leader = leader(members);
        int well = 0;
        for (JsonNode member : members) {
            String state = member.path("state").asText();
            boolean runs = state.equals("running") || state.equals("streaming");
            well += runs && member.path("timeline").equals(leader.path("timeline")) ? 1 : 0;
        }
        return well == NODES && leader.path("timeline").asLong() > 0;
    }

    private static JsonNode leader(JsonNode members) {
        for (JsonNode member : members) {
            if (member.path("role").asText().equals("leader")) {
                return member;
            }
        }
        return MAPPER.missingNode();
    }

    /** Patroni calls a replica running before it streams, and one that does not yet would lose what is struck next. */
    private boolean allStream() {
        try (Connection connection = sql().patient();
                Statement statement = connection.createStatement()) {
            statement.setQueryTimeout((int) ASK.toSeconds());
            try (ResultSet row =
                    statement.executeQuery("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'")) {
                return row.next() && row.getInt(1) == NODES - 1;
            }
        } catch (SQLException e) {
            return false;
        }
    }

    /** What the first node that answers says of all of them. */
    private Optional<JsonNode> members() throws IOException, InterruptedException {
        for (int node = 0; node < NODES; node++) {
            HttpRequest ask = HttpRequest.newBuilder(
                            URI.create("http://127.0.0.1:%d/cluster".formatted(restPort(node))))
                    .timeout(ASK)
                    .build();
            try {
                JsonNode members = MAPPER.readTree(http.send(ask, HttpResponse.BodyHandlers.ofString())
                                .body())
                        .path("members");
                if (!members.isEmpty()) {
                    return Optional.of(members);
                }
            } catch (IOException e) {
                // Down, or not up yet: the next one.
            }
        }
        return Optional.empty();
    }

    @Override
    public Blow blow(Scenario scenario) throws IOException, InterruptedException {
        String primary = leader(members().orElseThrow(() -> new IOException("no node of Patroni answers")))
                .path("name")
                .asText();
        List<ProcessMark> postgres = NodeProcesses.postgresTree(dataOf(primary));
        List<ProcessMark> rest = List.of(processes.mark("patroni-" + primary), processes.mark("etcd-" + primary));
        int node = Integer.parseInt(primary.substring("node".length())) - 1;
        if (postgres.isEmpty()) {
            throw new IOException("%s has no PostgreSQL to strike".formatted(primary));
        }
        return new Blow() {
            @Override
            public long strike(int round) {
                long at = System.nanoTime();
                switch (scenario) {
                    case KILL_NODE -> {
                        rest.forEach(ProcessMark::kill);
                        postgres.forEach(ProcessMark::kill);
                    }
                    case KILL_POSTGRES ->
                        (round % 2 == 0 ? postgres : postgres.subList(0, 1)).forEach(ProcessMark::kill);
                    default -> throw new IllegalStateException(scenario + " is not done to Patroni");
                }
                return at;
            }

            @Override
            public void heal() throws IOException {
                if (scenario == Scenario.KILL_NODE) {
                    startNode(node);
                }
            }
        };
    }

    // ---- its end

    @Override
    public void close() {
        end();
        try {
            Runtime.getRuntime().removeShutdownHook(whenKilled);
        } catch (IllegalStateException e) {
            // It runs already, and finds nothing left to do.
        }
    }

    private synchronized void end() {
        try {
            processes.endAll();
            endServers();
        } catch (IOException e) {
            System.err.println("# Patroni's processes could not all be ended: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Whose Patroni was killed, and which its Patroni could not stop. */
    private void endServers() throws InterruptedException {
        for (int node = 0; node < NODES; node++) {
            List<ProcessMark> tree = new ArrayList<>(NodeProcesses.postgresTree(dataOf(name(node))));
            tree.forEach(ProcessMark::kill);
            while (tree.stream().anyMatch(ProcessMark::isAlive)) {
                TimeUnit.MILLISECONDS.sleep(20);
            }
        }
    }

    private static void remove(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    private static void run(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).inheritIO().start();
        if (!process.waitFor(1, TimeUnit.MINUTES) || process.exitValue() != 0) {
            process.destroyForcibly();
            throw new IOException(String.join(" ", command) + " failed");
        }
    }

    // ---- names and ports

    /** Something for each node, with commas: its name, its etcd's port for clients and that for the other members. */
    private String each(String format) {
        List<String> out = new ArrayList<>();
        for (int node = 0; node < NODES; node++) {
            out.add(format.formatted(name(node), etcdPort(node), etcdPort(node) + 10));
        }
        return String.join(",", out);
    }

    private static String name(int node) {
        return "node" + (node + 1);
    }

    private Path home(int node) {
        return folder.resolve(name(node));
    }

    private Path dataOf(String name) {
        return folder.resolve(name).resolve("data");
    }

    private int restPort(int node) {
        return port + 10 + node;
    }

    private int etcdPort(int node) {
        return port + 20 + node;
    }

    private int proxyPort() {
        return port + 40;
    }
}
