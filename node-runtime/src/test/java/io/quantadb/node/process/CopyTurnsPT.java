package io.quantadb.node.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quantadb.node.bench.HeldStreams;
import io.quantadb.node.cli.DemoNode;
import io.quantadb.node.pgwire.PgConnection;
import io.quantadb.node.testing.PostgresBinaries;
import io.quantadb.node.testing.PostgresVersion;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** Nodes that lose what PostgreSQL had on their disks, and what Raft has stays: they copy the primary, one at a time. */
class CopyTurnsPT extends OnOneCluster {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String BEGINS = "member takes a base backup";
    private static final String SENT = "member was sent all of its base backup";
    private static final String ENDS = "member's stream ended";
    private static final String WAITS = "waits for its turn to be copied";
    private static final String CLONED = "base backup copied";
    private static final Pattern PEER = Pattern.compile("peer=(\\S+) generation=(\\d+)");

    private final PostgresVersion version = PostgresVersion.V15;

    @Override
    TestingThree formed() {
        return TestingThree.form(getClass(), version);
    }

    @Test
    void twoThatLostTheirDisksAreCopiedOneAfterTheOtherAndNothingIsLost() throws Exception {
        // Given
        DemoNode primary = cluster.primary();
        List<DemoNode> others = others(primary);
        long waited = said(WAITS);
        long cloned = said(CLONED);
        int from = log(primary).size();
        try (Writes writes = Writes.steady(cluster)) {
            for (DemoNode node : others) {
                cluster.kill(node);
                MembersPT.removeTree(data(node));
                set(node, "rejoin_rate", "16MB");
            }

            // When
            others.forEach(cluster::start);

            // Then
            writes.awaitAcknowledgedAfter(System.nanoTime());
            writes.auditEverywhere();
            assertThat(mostAtOnce(log(primary).subList(from, log(primary).size())))
                    .as("copies at once")
                    .isEqualTo(1);
            assertThat(said(CLONED)).isEqualTo(cloned + 2);
            assertThat(said(WAITS)).as("said once, by the one that waited").isEqualTo(waited + 1);
        } finally {
            for (DemoNode node : others) {
                set(node, "rejoin_rate", "0");
            }
        }
    }

    @Test
    void whoWaitsSaysForWhomAndKeepsItsFilesUntilThen() throws Exception {
        // Given one whose copy takes long
        DemoNode primary = cluster.primary();
        DemoNode first = others(primary).getFirst();
        DemoNode second = others(primary).getLast();
        try (Writes writes = Writes.steady(cluster)) {
            cluster.kill(first);
            MembersPT.removeTree(data(first));
            set(first, "rejoin_rate", "1MB");
            long begun = cluster.said(primary, BEGINS);
            cluster.start(first);
            await("%s is being copied".formatted(first.id()))
                    .atMost(TestingThree.PATIENCE)
                    .until(() -> cluster.said(primary, BEGINS) > begun);

            // When another may not use what it has any more
            cluster.kill(second);
            Files.writeString(data(second).resolveSibling("postgres.unfinished"), "");
            cluster.start(second);

            // Then
            String words = "%s: waits for its turn: %s is being copied, since".formatted(second.id(), first.id());
            await("the status says so")
                    .atMost(TestingThree.PATIENCE)
                    .untilAsserted(() -> assertThat(cluster.command("status").out())
                            .contains(words)
                            .contains("%s: is being copied, since".formatted(first.id())));
            assertThat(cluster.view().body().path("nodes").valueStream())
                    .filteredOn(n -> !n.path("id").asText().equals(primary.id().value()))
                    .allSatisfy(n -> assertThat(n.path("state").asText()).isEqualTo("CLONING"));
            assertThat(data(second).resolve("PG_VERSION")).exists();
            assertThat(cluster.said(primary, BEGINS)).isEqualTo(begun + 1);

            // And when the first is gone, the other begins
            cluster.kill(first);
            await("%s is being copied".formatted(second.id()))
                    .atMost(TestingThree.PATIENCE)
                    .until(() -> cluster.said(primary, BEGINS) > begun + 1);
            set(first, "rejoin_rate", "0");
            cluster.start(first);
            writes.auditEverywhere();
        }
    }

    @Test
    void aRewindBesideACopyDoesNotWait() throws Exception {
        Path program = PostgresBinaries.require(version).bin().resolve("pg_rewind");
        Assumptions.assumeTrue(Files.isExecutable(program), program + " is not here");

        // Given an old primary that has diverged, and a standby whose copy takes long
        DemoNode old = cluster.primary();
        long rewound = cluster.said(old, "rewind complete");
        try (Writes writes = Writes.steady(cluster)) {
            Divergence.of(cluster, old, writes);
            DemoNode successor = cluster.awaitSuccessor(old);
            writes.awaitAcknowledgedAfter(System.nanoTime());
            DemoNode copied = cluster.nodes().stream()
                    .filter(n -> !n.id().equals(old.id()) && !n.id().equals(successor.id()))
                    .findFirst()
                    .orElseThrow();
            cluster.kill(copied);
            MembersPT.removeTree(data(copied));
            set(copied, "rejoin_rate", "1MB");
            long begun = cluster.said(successor, BEGINS);
            long sent = cluster.said(successor, SENT);
            cluster.start(copied);
            await("%s is being copied".formatted(copied.id()))
                    .atMost(TestingThree.PATIENCE)
                    .until(() -> cluster.said(successor, BEGINS) > begun);

            // When
            cluster.start(old);
            await("%s is back".formatted(old.id()))
                    .atMost(TestingThree.PATIENCE)
                    .until(() -> cluster.said(old, "rewind complete") > rewound);
            writes.awaitAcknowledgedAfter(System.nanoTime());

            // Then
            assertThat(cluster.said(successor, SENT))
                    .as("it is still being copied")
                    .isEqualTo(sent);
            assertThat(cluster.said(successor, BEGINS)).isEqualTo(begun + 1);

            // And
            cluster.kill(copied);
            set(copied, "rejoin_rate", "0");
            cluster.start(copied);
            writes.auditEverywhere();
        }
    }

    @Test
    void aCopyWhoseSourceStandsStillIsGivenUpAndBegunAnew() throws Exception {
        // Given
        DemoNode primary = cluster.primary();
        DemoNode copied = others(primary).getFirst();
        String failed = "PostgreSQL could not clone from " + primary.id();
        long failures = cluster.said(copied, failed);
        try (Writes writes = Writes.steady(cluster)) {
            cluster.kill(copied);
            MembersPT.removeTree(data(copied));
            set(copied, "rejoin_rate", "4MB");
            set(copied, "snapshot_timeout", "2s");
            cluster.start(copied);
            List<Long> senders = new ArrayList<>();
            await("the server sends it").atMost(TestingThree.PATIENCE).until(() -> {
                try (PgConnection session = cluster.behind(primary)) {
                    session.query("SELECT pid FROM pg_stat_progress_basebackup WHERE backup_streamed > 1 << 20", SOON)
                            .rows()
                            .forEach(row -> senders.add(Long.valueOf(row.getFirst())));
                }
                return !senders.isEmpty();
            });

            // When
            try (HeldStreams held = HeldStreams.hold(senders)) {
                // Then
                await("given up").atMost(TestingThree.PATIENCE).until(() -> cluster.said(copied, failed) > failures);
                assertThat(held).isNotNull();
                writes.auditEverywhere();
            }
            assertThat(cluster.said(copied, failed)).isEqualTo(failures + 1);
        } finally {
            set(copied, "rejoin_rate", "0");
            set(copied, "snapshot_timeout", "60s");
        }
    }

    private List<DemoNode> others(DemoNode primary) {
        return cluster.nodes().stream()
                .filter(n -> !n.id().equals(primary.id()))
                .toList();
    }

    private static Path data(DemoNode node) {
        return node.folder().resolve("data").resolve("postgres");
    }

    /** From its next start on. */
    private static void set(DemoNode node, String key, String value) throws IOException {
        ObjectNode all = (ObjectNode) MAPPER.readTree(node.settings().toFile());
        all.withObjectProperty("cluster").withObjectProperty("replication").put(key, value);
        MAPPER.writeValue(node.settings().toFile(), all);
    }

    /** How many copies the server gave at the same time, by its agent's log. */
    private static int mostAtOnce(List<String> log) {
        Set<String> running = new TreeSet<>();
        int most = 0;
        for (String line : log) {
            Matcher peer = PEER.matcher(line);
            if (line.contains(BEGINS) && peer.find()) {
                running.add(peer.group());
                most = Math.max(most, running.size());
            } else if ((line.contains(SENT) || line.contains(ENDS)) && peer.find()) {
                running.remove(peer.group());
            }
        }
        return most;
    }

    private static List<String> log(DemoNode node) throws IOException {
        return Files.readAllLines(node.log(), StandardCharsets.ISO_8859_1);
    }

    private long said(String words) {
        return cluster.nodes().stream().mapToLong(n -> cluster.said(n, words)).sum();
    }
}
