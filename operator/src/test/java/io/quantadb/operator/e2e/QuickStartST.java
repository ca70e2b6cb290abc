package io.quantadb.operator.e2e;

import static io.quantadb.operator.e2e.TestCluster.NAME;
import static io.quantadb.operator.e2e.TestCluster.say;
import static io.quantadb.operator.e2e.TestCluster.seconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quantadb.operator.model.ClusterRef;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The README's quick start, line by line, what a user then sees, and what is left when the cluster is deleted. */
@ExtendWith(KeepsLogs.class)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class QuickStartST {
    private static final String NAMESPACE = "quantadb-e2e-quickstart";
    private static final String BLOCK_STARTS = "<!-- run by QuickStartST -->\n```sh\n";
    private static final String EVERYTHING =
            "pods,services,statefulsets,configmaps,poddisruptionbudgets,serviceaccounts";

    private static TestCluster cluster;

    @TempDir
    static Path folder;

    @BeforeAll
    static void runsTheReadme() throws IOException {
        cluster = TestCluster.in(NAMESPACE);
        // The README's lines name no namespace.
        String kubeconfig = Commands.run(
                Duration.ofSeconds(10), Map.of(), "kubectl", "config", "view", "--raw", "--flatten", "--minify");
        Path own = Files.writeString(folder.resolve("kubeconfig"), kubeconfig);
        Map<String, String> environment = Map.of("KUBECONFIG", own.toString());
        Commands.run(
                Duration.ofSeconds(10),
                environment,
                "kubectl",
                "config",
                "set-context",
                "--current",
                "--namespace=" + NAMESPACE);
        for (String line : readme()) {
            long started = System.nanoTime();
            String output = Commands.run(Duration.ofMinutes(3), environment, "bash", "-c", line);
            say("README, %.1f s: %s%n%s"
                    .formatted(seconds(started), line, output.strip().indent(4).stripTrailing()));
        }
        long started = System.nanoTime();
        cluster.awaits("Ready");
        say("quick start: all three are ready %.1f s later".formatted(seconds(started)));
    }

    /** The commands of the README's quick start. */
    private static List<String> readme() throws IOException {
        String text = Files.readString(Path.of("../README.md"));
        int from = text.indexOf(BLOCK_STARTS) + BLOCK_STARTS.length();
        assertThat(from).as("the README has a block after " + BLOCK_STARTS).isGreaterThan(BLOCK_STARTS.length());
        List<String> lines =
                text.substring(from, text.indexOf("```", from)).lines().toList();
        assertThat(lines).hasSizeGreaterThan(4);
        return lines;
    }

    @AfterAll
    static void removesTheNamespace() {
        if (cluster != null) {
            cluster.close();
        }
    }

    @Test
    @Order(1)
    void kubectlTellsHowTheClusterIs() {
        cluster.settles();
        List<String> table = kubectl("get", "qc", NAME).lines().toList();
        assertThat(table).hasSize(2);
        assertThat(table.get(0).split("\\s+"))
                .containsExactly("NAME", "INSTANCES", "READY", "PRIMARY", "AVAILABLE", "STATUS", "VERSION", "AGE");
        String[] row = table.get(1).split("\\s+");
        assertThat(row).hasSize(8);
        assertThat(row).startsWith(NAME, "3", "3", cluster.status().currentPrimary(), "True");
        assertThat(row[5])
                .isEqualTo(cluster.status().condition("Ready").orElseThrow().reason());
        assertThat(row[6]).isEqualTo(cluster.status().version());
        assertThat(row[7]).matches("(\\d+[smh])+");
    }

    @Test
    @Order(1)
    void kubectlTellsHowItCameUp() {
        List<String> events = kubectl(
                        "get",
                        "events",
                        "--field-selector=involvedObject.kind=QuantaCluster,involvedObject.name=" + NAME,
                        "--output=custom-columns=TYPE:.type,REASON:.reason",
                        "--no-headers")
                .lines()
                .map(line -> line.replaceAll("\\s+", " ").strip())
                .toList();
        assertThat(events)
                .contains(
                        "Normal Founding", "Normal Bootstrapped", "Normal PrimaryServing", "Normal AllInstancesReady");
        assertThat(kubectl("describe", "qc", NAME))
                .contains("quantadb-operator")
                .contains("AllInstancesReady");
    }

    @Test
    @Order(2)
    void rowsWrittenThroughReadWriteAreReadThroughReadOnly() throws SQLException {
        try (Connection connection = cluster.connect(cluster.reach().service(NAME + "-rw"));
                var statement = connection.createStatement()) {
            statement.execute("create table greeting (words text)");
            statement.execute("insert into greeting values ('hello')");
        }
        awaitGreetingFromAReplica(cluster.reach().service(NAME + "-ro"));
    }

    private static void awaitGreetingFromAReplica(Reach.Door door) {
        await("a replica has the row")
                .atMost(Duration.ofSeconds(20))
                .ignoreExceptions()
                .untilAsserted(() -> {
                    try (Connection connection = cluster.connect(door);
                            var statement = connection.createStatement();
                            ResultSet row = statement.executeQuery("select words, pg_is_in_recovery() from greeting")) {
                        assertThat(row.next()).isTrue();
                        assertThat(row.getString(1)).isEqualTo("hello");
                        assertThat(row.getBoolean(2)).isTrue();
                    }
                });
    }

    @Test
    @Order(3)
    void aPodWhoseVolumeIsGoneComesBackAsAFullCopyByItself() {
        String replica = cluster.aReplica();
        String pod = cluster.uid(replica);
        String volume = volume(replica);
        long started = System.nanoTime();
        cluster.client()
                .persistentVolumeClaims()
                .inNamespace(NAMESPACE)
                .withName(ClusterRef.claim(replica))
                .delete();
        cluster.deleteAtOnce(replica);
        cluster.awaitAnotherPod(replica, pod);
        await("the pod is ready with another volume")
                .atMost(Duration.ofMinutes(4))
                .pollInterval(Duration.ofMillis(500))
                .ignoreExceptions()
                .untilAsserted(() -> {
                    assertThat(cluster.client()
                                    .pods()
                                    .inNamespace(NAMESPACE)
                                    .withName(replica)
                                    .isReady())
                            .isTrue();
                    assertThat(volume(replica)).isNotEqualTo(volume);
                });
        cluster.settles();
        say("a replica whose volume was gone is a full copy again after %.1f s".formatted(seconds(started)));
        awaitGreetingFromAReplica(cluster.reach().pod(replica));
    }

    private static String volume(String pod) {
        return cluster.client()
                .persistentVolumeClaims()
                .inNamespace(NAMESPACE)
                .withName(ClusterRef.claim(pod))
                .get()
                .getSpec()
                .getVolumeName();
    }

    @Test
    @Order(4)
    void deletingTheClusterRemovesAllButVolumesAndWhatOpensThem() {
        kubectl("delete", "qc", NAME, "--timeout=60s");
        await("all but what is kept is gone")
                .atMost(Duration.ofMinutes(3))
                .pollInterval(Duration.ofSeconds(1))
                .untilAsserted(() -> {
                    assertThat(cluster.left(EVERYTHING)).isEmpty();
                    assertThat(cluster.left("secrets"))
                            .containsExactlyInAnyOrder(
                                    "secret/" + NAME + "-app",
                                    "secret/" + NAME + "-ca",
                                    "secret/" + NAME + "-superuser");
                });
        assertThat(cluster.left("persistentvolumeclaims"))
                .containsExactlyInAnyOrder(
                        "persistentvolumeclaim/data-" + NAME + "-0",
                        "persistentvolumeclaim/data-" + NAME + "-1",
                        "persistentvolumeclaim/data-" + NAME + "-2");
    }

    private static String kubectl(String... arguments) {
        String[] command = new String[arguments.length + 3];
        command[0] = "kubectl";
        command[1] = "-n";
        command[2] = NAMESPACE;
        System.arraycopy(arguments, 0, command, 3, arguments.length);
        return Commands.run(Duration.ofSeconds(90), Map.of(), command);
    }
}
