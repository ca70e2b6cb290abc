package io.quantadb.node.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.cli.DemoNode;
import io.quantadb.node.cli.Machines;
import io.quantadb.node.common.SlotNames;
import io.quantadb.node.pgwire.PgConnection;
import io.quantadb.node.testing.PostgresBinaries;
import io.quantadb.node.testing.PostgresVersion;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** An old primary with WAL of its own comes back, with PostgreSQL 15 as distributions package it, pg_rewind included. */
class RewindPT extends OnOneCluster {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final String CLONED = "base backup copied";
    private static final String REWOUND = "rewind complete";
    private static final String MARK = "postgres.unfinished";

    private final PostgresVersion version = PostgresVersion.V15;

    @Override
    TestingThree formed() {
        // Nothing keeps WAL but slots, so that what a source removes is removed soon.
        return TestingThree.form(
                getClass(),
                version,
                Machines.LOOPBACK,
                List.of(),
                Map.of("postgres.parameters.wal_keep_size", "0", "postgres.parameters.min_wal_size", "32MB"));
    }

    @BeforeEach
    void thereIsPgRewind() {
        Path program = PostgresBinaries.require(version).bin().resolve("pg_rewind");
        Assumptions.assumeTrue(Files.isExecutable(program), program + " is not here: nothing of rewinding is tried");
    }

    @Test
    void goesBackToTheForkKeepsItsOwnWalAndStreamsOnWithoutAClone() throws Exception {
        // Given
        DemoNode old = cluster.primary();
        long cloned = said(CLONED);
        long generation = generation(old);
        try (Writes writes = Writes.steady(cluster)) {
            Divergence.of(cluster, old, writes);
            DemoNode successor = cluster.awaitSuccessor(old);
            writes.awaitAcknowledgedAfter(System.nanoTime());

            // When
            cluster.start(old);
            writes.auditEverywhere();

            // Then
            assertThat(cluster.said(old, REWOUND)).isPositive();
            assertThat(said(CLONED)).isEqualTo(cloned);
            assertThat(generation(old)).isGreaterThan(generation);
            assertThat(ask(old, "SELECT count(*) FROM " + Divergence.TABLE)).isEqualTo("0");
            assertThat(old.folder().resolve("data").resolve(MARK)).doesNotExist();
            assertThat(old.folder().resolve("data/postgres.rewind-wal")).doesNotExist();

            // And the WAL that it lost is kept, readable by nobody else, and by pg_waldump
            Path kept = onlyKept(old);
            assertThat(Files.getPosixFilePermissions(kept)).isEqualTo(PosixFilePermissions.fromString("rwx------"));
            assertThat(dump(kept)).contains("rmgr: Heap");
            assertThat(listed()).contains(old.id().value(), kept.toString());
            assertThat(cluster.command("events", "--last", "300").out())
                    .contains("rewinds, as generation", "quantadb diverged-wal lists it");

            // And slots are there for the others again, made anew
            await("slots on %s".formatted(old.id())).atMost(SOON).untilAsserted(() -> {
                for (DemoNode other : cluster.nodes()) {
                    if (!other.id().equals(old.id())) {
                        assertThat(ask(
                                        old,
                                        "SELECT count(*) FROM pg_replication_slots WHERE slot_name = '%s'"
                                                .formatted(SlotNames.of(other.id()))))
                                .isEqualTo("1");
                    }
                }
            });
            assertThat(ask(
                            successor,
                            "SELECT rolsuper OR rolreplication OR rolcreaterole FROM pg_roles"
                                    + " WHERE rolname = 'quantadb_rewind'"))
                    .isEqualTo("f");
        }
    }

    @Test
    void goesBackAlsoWhereTheSourceHasRemovedTheWalThatReplayBeginsWith() throws Exception {
        // Given a last common checkpoint some segments before the fork
        DemoNode old = cluster.primary();
        long cloned = said(CLONED);
        long rewound = cluster.said(old, REWOUND);
        try (Writes writes = Writes.steady(cluster)) {
            ask(old, "CHECKPOINT");
            String first = ask(old, "SELECT pg_walfile_name(redo_lsn) FROM pg_control_checkpoint()");
            leaveSegments(old, 3);
            Divergence.of(cluster, old, writes);
            DemoNode successor = cluster.awaitSuccessor(old);
            writes.awaitAcknowledgedAfter(System.nanoTime());

            // When the source has let go of it
            await("%s is gone on %s".formatted(first, successor.id()))
                    .atMost(TestingThree.PATIENCE)
                    .untilAsserted(() -> {
                        leaveSegments(successor, 1);
                        ask(successor, "CHECKPOINT");
                        assertThat(ask(
                                        successor,
                                        "SELECT count(*) FROM pg_ls_waldir() WHERE name = '%s'".formatted(first)))
                                .isEqualTo("0");
                    });
            cluster.start(old);

            // Then
            writes.auditEverywhere();
            assertThat(cluster.said(old, REWOUND)).isEqualTo(rewound + 1);
            assertThat(said(CLONED)).isEqualTo(cloned);
        }
    }

    @Test
    void aRewindThatIsKilledInTheMiddleEndsInACloneAndNeverInAStart() throws Exception {
        // Given an old primary that has diverged, and a mark as one leaves it that dies in the middle
        DemoNode old = cluster.primary();
        long cloned = cluster.said(old, CLONED);
        try (Writes writes = Writes.steady(cluster)) {
            Divergence.of(cluster, old, writes);
            cluster.awaitSuccessor(old);
            Files.createFile(old.folder().resolve("data").resolve(MARK));
            Files.createDirectory(old.folder().resolve("data/postgres.rewind-wal"));
            Files.delete(old.folder().resolve("data/postgres/global/pg_filenode.map"));

            // When
            int linesBefore = log(old).size();
            cluster.start(old);
            await("cloned").atMost(TestingThree.PATIENCE).until(() -> cluster.said(old, CLONED) == cloned + 1);

            // Then
            writes.auditEverywhere();
            List<String> since = log(old).stream().skip(linesBefore).toList();
            assertThat(first(since, "was cut short")).isLessThan(first(since, CLONED));
            assertThat(first(since, "postgresql started")).isGreaterThan(first(since, CLONED));
            assertThat(old.folder().resolve("data").resolve(MARK)).doesNotExist();
            assertThat(old.folder().resolve("data/postgres.rewind-wal")).doesNotExist();
        }
    }

    @Test
    void anAgentKilledWhileItRewindsComesBack() throws Exception {
        // Given
        DemoNode old = cluster.primary();
        long rewound = cluster.said(old, REWOUND);
        try (Writes writes = Writes.steady(cluster)) {
            Divergence.of(cluster, old, writes);
            cluster.awaitSuccessor(old);
            writes.awaitAcknowledgedAfter(System.nanoTime());

            // When: killed as soon as the directory is marked, wherever it is then
            cluster.start(old);
            await("marked")
                    .atMost(TestingThree.PATIENCE)
                    .pollInterval(Duration.ofMillis(2))
                    .until(() -> Files.exists(old.folder().resolve("data").resolve(MARK))
                            || cluster.said(old, REWOUND) > rewound);
            cluster.kill(old);
            cluster.start(old);

            // Then
            writes.auditEverywhere();
            assertThat(old.folder().resolve("data").resolve(MARK)).doesNotExist();
            assertThat(old.folder().resolve("data/postgres.rewind-wal")).doesNotExist();
        }
    }

    @Test
    void whereARewindIsNotToBeDoneItSaysWhyAndClones() throws Exception {
        // Given
        DemoNode old = cluster.primary();
        long cloned = cluster.said(old, CLONED);
        long kept = kept(old).size();
        try (Writes writes = Writes.steady(cluster)) {
            Divergence.of(cluster, old, writes);
            cluster.awaitSuccessor(old);
            writes.awaitAcknowledgedAfter(System.nanoTime());
            String settings = Files.readString(old.settings());
            Files.writeString(
                    old.settings(),
                    settings.replaceFirst("\"postgres\" : \\{", "\"postgres\" : { \"rewind\" : \"off\","));
            try {
                // When
                cluster.start(old);
                writes.auditEverywhere();

                // Then
                assertThat(cluster.said(old, "cannot rewind, and clones instead: postgres.rewind is off"))
                        .isPositive();
                assertThat(cluster.said(old, CLONED)).isEqualTo(cloned + 1);
                assertThat(kept(old)).hasSizeGreaterThan((int) kept);
            } finally {
                Files.writeString(old.settings(), settings);
            }
        }
    }

    @Test
    void theRoleThatRewindsUseOpensNoSessionThroughAnyFront() {
        for (DemoNode node : cluster.nodes()) {
            for (int port : List.of(node.ports().sql(), node.ports().primary())) {
                Properties properties = new Properties();
                properties.setProperty("user", "quantadb_rewind");
                properties.setProperty("password", "anything");
                properties.setProperty("connectTimeout", "10");
                String url = "jdbc:postgresql://%s:%d/postgres".formatted(node.host(), port);
                org.assertj.core.api.Assertions.assertThatThrownBy(() -> DriverManager.getConnection(url, properties))
                        .isInstanceOf(SQLException.class)
                        .hasMessageContaining("belongs to the cluster");
            }
        }
    }

    /** Ends so many segments; nothing is removed before the next checkpoint. */
    private void leaveSegments(DemoNode primary, int count) {
        try (PgConnection session = cluster.behind(primary)) {
            for (int i = 0; i < count; i++) {
                session.query("SELECT pg_logical_emit_message(true, 'test', 'x')", SOON);
                session.query("SELECT pg_switch_wal()", SOON);
            }
        }
    }

    private static List<String> log(DemoNode node) throws IOException {
        return Files.readAllLines(node.log(), StandardCharsets.ISO_8859_1);
    }

    private static int first(List<String> lines, String words) {
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).contains(words)) {
                return i;
            }
        }
        throw new AssertionError("nobody says: " + words);
    }

    private long said(String words) {
        return cluster.nodes().stream().mapToLong(n -> cluster.said(n, words)).sum();
    }

    private long generation(DemoNode node) {
        for (var member : cluster.view().body().path("nodes")) {
            if (member.path("id").asText().equals(node.id().value())) {
                return member.path("generation").asLong();
            }
        }
        throw new AssertionError(node.id() + " is no member");
    }

    private String ask(DemoNode node, String sql) {
        try (PgConnection session = cluster.behind(node)) {
            return String.valueOf(session.query(sql, SOON).singleOrNull());
        }
    }

    private static List<Path> kept(DemoNode node) throws IOException {
        Path folder = node.folder().resolve("data/diverged-wal");
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> all = Files.list(folder)) {
            return all.sorted().toList();
        }
    }

    private static Path onlyKept(DemoNode node) throws IOException {
        List<Path> all = kept(node);
        assertThat(all).isNotEmpty();
        return all.getLast();
    }

    /** As {@code about.txt} says to look. */
    private String dump(Path kept) throws IOException, InterruptedException {
        Path program = PostgresBinaries.require(version).bin().resolve("pg_waldump");
        Process process = new ProcessBuilder(
                        program.toString(),
                        "-p",
                        kept.toString(),
                        "-t",
                        about(kept, "timeline"),
                        "-s",
                        about(kept, "from"),
                        "-n",
                        "500")
                .redirectErrorStream(true)
                .start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
        return printed;
    }

    private static String about(Path kept, String key) throws IOException {
        return Files.readAllLines(kept.resolve("about.txt")).stream()
                .filter(line -> line.startsWith(key + "="))
                .map(line -> line.substring(key.length() + 1))
                .findFirst()
                .orElseThrow();
    }

    private String listed() {
        return cluster.command("diverged-wal").out();
    }
}
