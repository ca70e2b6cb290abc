package io.quantadb.node.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.cli.DemoNode;
import io.quantadb.node.coordinator.FactStore;
import io.quantadb.node.coordinator.NodeFacts;
import io.quantadb.node.testing.PostgresVersion;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A node whose whole folder is put back to an earlier copy, as a volume's snapshot would be. */
@Tag("process")
class RestoredVolumePT {
    private static final Pattern INCARNATION = Pattern.compile("incarnation=(\\d+)");

    private TestingThree cluster;

    @BeforeEach
    void form() {
        cluster = TestingThree.form(getClass(), PostgresVersion.V15);
        cluster.awaitConverged();
    }

    @AfterEach
    void end() {
        if (cluster != null) {
            cluster.close();
        }
    }

    private static void copy(Path from, Path to) throws IOException, InterruptedException {
        Process cp = new ProcessBuilder("cp", "-a", from.toString(), to.toString())
                .inheritIO()
                .start();
        assertThat(cp.waitFor(2, TimeUnit.MINUTES)).isTrue();
        assertThat(cp.exitValue()).isZero();
    }

    /** As the node's own disk has it. */
    private static String incarnation(DemoNode node) throws IOException {
        String facts = Files.readString(node.folder().resolve("data/cluster/node.facts"), StandardCharsets.ISO_8859_1);
        Matcher found = INCARNATION.matcher(facts);
        assertThat(found.find()).as(facts).isTrue();
        return found.group(1);
    }

    /** The first node is permitted to found a cluster, and must not found one. */
    @Test
    void rejoinsByItselfAsANewIncarnationWithoutAVoteOfTheOld() throws Exception {
        // Given
        DemoNode first = cluster.nodes().getFirst();
        if (cluster.primary().id().equals(first.id())) {
            assertThat(cluster.switchover().status()).isZero();
            cluster.awaitConverged();
        }
        String before = incarnation(first);
        assertThat(cluster.stop(first)).isZero();
        Path data = first.folder().resolve("data");
        Path copy = first.folder().resolve("data.copy");
        copy(data, copy);
        cluster.start(first);
        cluster.awaitConverged();
        long cloned = cluster.said(first, "base backup copied");
        try (Writes writes = Writes.steady(cluster)) {
            for (String mode : new String[] {"on", "off", "on", "off"}) {
                assertThat(cluster.command("maintenance", mode).status()).isZero();
            }

            // When
            cluster.kill(first);
            MembersPT.removeTree(data);
            Files.move(copy, data);
            cluster.start(first);

            // Then
            await("taken in as another")
                    .atMost(TestingThree.PATIENCE)
                    .ignoreExceptions()
                    .until(() -> !incarnation(first).equals(before));
            await("cloned")
                    .atMost(TestingThree.PATIENCE)
                    .until(() -> cluster.said(first, "base backup copied") > cloned);
            writes.awaitAcknowledgedAfter(System.nanoTime());
            writes.auditEverywhere();
        }
        assertThat(cluster.awaitConverged().body().path("nodes")).hasSize(3);
        assertThat(cluster.said(first, "its volume was put back to an earlier copy"))
                .isEqualTo(1);
        assertThat(cluster.hasEnded(first)).as("the same process goes on").isFalse();
    }

    /** A volume's copy from between its first start and the word that it was let in: nothing but whom it asked as. */
    @Test
    void aDiskFromBeforeItWasLetInIsTakenInAsANewIncarnation() throws Exception {
        // Given
        DemoNode first = cluster.nodes().getFirst();
        if (cluster.primary().id().equals(first.id())) {
            assertThat(cluster.switchover().status()).isZero();
            cluster.awaitConverged();
        }
        String before = incarnation(first);
        cluster.kill(first);
        Path data = first.folder().resolve("data");
        MembersPT.removeTree(data);
        Files.createDirectories(data.resolve("cluster"));
        try (FactStore store = new FactStore(data.resolve("cluster/node.facts"), fault -> {})) {
            assertThat(store.facts()).isNull();
            store.put(new NodeFacts(first.id(), Long.parseLong(before), "", 0, 1, 0, "", null));
        }

        // When
        cluster.start(first);

        // Then
        await("taken in as another")
                .atMost(TestingThree.PATIENCE)
                .ignoreExceptions()
                .until(() -> !incarnation(first).equals(before));
        assertThat(cluster.awaitConverged().body().path("nodes")).hasSize(3);
        assertThat(cluster.said(first, "asks to be taken in as a new incarnation"))
                .isEqualTo(1);
    }
}
