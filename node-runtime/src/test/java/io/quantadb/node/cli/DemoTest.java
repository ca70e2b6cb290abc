package io.quantadb.node.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.common.NodeId;
import io.quantadb.node.config.ConfigLoader;
import io.quantadb.node.config.NodeConfig;
import io.quantadb.node.config.Ports;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DemoTest {
    private static final NodeId NODE1 = new NodeId("node1");
    private static final NodeId NODE2 = new NodeId("node2");

    @TempDir
    Path temp;

    private final List<String> said = new ArrayList<>();
    private Path folder;
    private Demo demo;

    @BeforeEach
    void writesALauncherOfTestingAgents() throws Exception {
        folder = temp.resolve("demo");
        Path launcher = temp.resolve("launcher");
        Files.writeString(
                launcher,
                "#!/bin/sh\nexec '%s/bin/java' -Xmx32m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp '%s' %s \"$@\"\n"
                        .formatted(
                                System.getProperty("java.home"),
                                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                                TestingAgent.class.getName()));
        Files.setPosixFilePermissions(launcher, PosixFilePermissions.fromString("rwxr-xr-x"));
        demo = new Demo(
                folder, Map.of("QUANTADB_LAUNCHER", launcher.toString(), "PATH", System.getenv("PATH")), said::add);
    }

    @AfterEach
    void leavesNoProcessBehind() {
        if (Files.exists(DemoState.file(folder))) {
            DemoState.read(folder).orElseThrow().nodes().forEach(node -> {
                NodeProcesses.postgresTree(node.postgresData()).forEach(ProcessMark::kill);
                if (node.agent() != null) {
                    node.agent().kill();
                }
            });
        }
    }

    @Test
    void startsKillsRestartsAndStopsItsNodes() throws Exception {
        // Given
        Demo.Start start = new Demo.Start(List.of(28432, 31432), "debug", Map.of(), Duration.ofSeconds(60));

        // When
        ClusterClient.View view = demo.up(start);

        // Then
        assertThat(view.primary()).isEqualTo("node1");
        assertThat(demo.nodes()).hasSize(3).allMatch(DemoNode::running);
        assertThat(demo.url())
                .doesNotContain(
                        Files.readString(folder.resolve("superuser.password")).strip());
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(demo.passfile())))
                .isEqualTo("rw-------");
        assertThat(said).anyMatch(line -> line.contains("node1 primary active"));

        // When
        Path data = demo.nodes().get(1).postgresData();
        await().atMost(Duration.ofSeconds(10))
                .until(() -> NodeProcesses.postgresTree(data).size() >= 2);
        List<ProcessMark> postgres = NodeProcesses.postgresTree(data);
        ProcessMark agent = demo.nodes().get(1).agent();
        String killed = demo.kill(NODE2);

        // Then
        assertThat(killed).startsWith("killed node2: agent (pid " + agent.pid() + "), PostgreSQL (pid ");
        await().atMost(Duration.ofSeconds(5))
                .untilAsserted(() -> assertThat(postgres).noneMatch(ProcessMark::isAlive));
        await().atMost(Duration.ofSeconds(5)).until(() -> !agent.isAlive());
        assertThatThrownBy(() -> demo.kill(NODE2)).hasMessage("node2 is not running");

        // When
        demo.restart(NODE2, Duration.ofSeconds(60));

        // Then
        assertThat(demo.nodes()).allMatch(DemoNode::running);
        assertThat(said).anyMatch(line -> line.endsWith("node2 streaming"));

        // When it comes up, and does not stream
        Files.createFile(folder.resolve("node2").resolve("stuck"));

        // Then
        assertThatThrownBy(() -> demo.restart(NODE2, Duration.ofSeconds(10)))
                .isInstanceOfSatisfying(Failure.class, failure -> {
                    assertThat(failure.code()).isEqualTo(ExitCode.TIMEOUT);
                    assertThat(failure.line())
                            .startsWith("quantadb: node2 runs, and does not do its part after 10 s: node2 connecting: "
                                    + "not streaming from the primary; it goes on trying");
                });

        // When
        demo.down(true);

        // Then
        assertThat(folder).doesNotExist();
    }

    @Test
    void tellsWhyAnAgentEndedAndWithWhichStatus() throws Exception {
        // Given
        Files.createDirectories(folder.resolve("node1"));
        Files.createFile(folder.resolve("node1").resolve("fail"));
        Demo.Start start = new Demo.Start(List.of(28532), "info", Map.of(), Duration.ofSeconds(60));

        // When / Then
        assertThatThrownBy(() -> demo.up(start)).isInstanceOfSatisfying(Failure.class, failure -> {
            assertThat(failure.code()).isEqualTo(ExitCode.PORT);
            assertThat(failure.line())
                    .startsWith("quantadb: node1 ended with status 3: quantadb: port 5432 is taken; choose another");
        });
    }

    @Test
    void namesWhatEndedANodeThoughItWentOnTalking() throws Exception {
        // Given
        Path log = Files.writeString(
                temp.resolve("agent.log"), "a INFO  one\nb ERROR [cluster] it was given up\nc INFO  node started\n\n");
        Path calm = Files.writeString(temp.resolve("calm.log"), "a INFO  one\nb INFO  two\n");

        // When / Then
        assertThat(Demo.lastWords(log)).isEqualTo("b ERROR [cluster] it was given up");
        assertThat(Demo.lastWords(calm)).isEqualTo("b INFO  two");
    }

    @Test
    void neverTouchesAProcessThatHasTheNumberOfADeadOne() {
        // Given
        ProcessMark self = ProcessMark.of(ProcessHandle.current().pid()).orElseThrow();
        ProcessMark earlier = new ProcessMark(self.pid(), self.started() - 1, self.boot());
        demoWith(earlier);

        // When / Then
        assertThat(earlier.isAlive()).isFalse();
        assertThat(earlier.kill()).isFalse();
        assertThatThrownBy(() -> demo.kill(NODE1)).hasMessage("node1 is not running");
        assertThat(self.isAlive()).isTrue();
    }

    @Test
    void neverTakesAProcessForPostgresThatWorksElsewhere() throws Exception {
        // Given
        Path data = Files.createDirectories(temp.resolve("data"));
        Files.writeString(
                data.resolve("postmaster.pid"), ProcessHandle.current().pid() + "\n");

        // When
        List<ProcessMark> found = NodeProcesses.postgresTree(data);

        // Then
        assertThat(found).isEmpty();
    }

    @Test
    void readsBackWhatItWroteAndRefusesWhatItCannotRead() throws Exception {
        // Given
        demoWith(new ProcessMark(1, 2, "b"));
        DemoState written = DemoState.read(folder).orElseThrow();

        // When
        Files.writeString(DemoState.file(folder), "{ half");

        // Then
        assertThat(written.node(NODE1).agent()).isEqualTo(new ProcessMark(1, 2, "b"));
        assertThatThrownBy(() -> DemoState.read(folder))
                .isInstanceOf(Failure.class)
                .hasMessageContaining("demo.json cannot be read");
        Files.delete(DemoState.file(folder));
    }

    @Test
    void writesSettingsThatTheLoaderTakes() {
        // Given
        DemoNode first = new DemoNode(NODE1, DemoNode.HOST, Ports.from(5432), folder.resolve("node1"), null);
        DemoNode second = new DemoNode(NODE2, DemoNode.HOST, Ports.from(5433), folder.resolve("node2"), null);

        // When
        new DemoFolder(folder)
                .writeSettings(
                        second, List.of(first, second), "debug", Map.of("cluster.raft.election_timeout", "200ms"));

        // Then
        NodeConfig config = new ConfigLoader(temp, Map.of()).load(second.settings(), List.of());
        assertThat(config.cluster().replication().primaryAddress()).hasToString("127.0.0.1:6432");
        assertThat(config.cluster().raft().electionTimeout()).isEqualTo(Duration.ofMillis(200));
        assertThat(config.postgresDataDir()).isEqualTo(second.postgresData());
        assertThat(config.loopbackOnly()).isTrue();
        assertThat(config.cluster().peers()).hasToString("[127.0.0.1:6432]");
    }

    @Test
    void takesTheFirstBaseWhosePortsAreAllFree() {
        // When
        int base = DemoFolder.firstFreeBase(List.of(5432, 15432, 25432), 3, port -> port != 8433 && port != 19434);

        // Then
        assertThat(base).isEqualTo(25432);
        assertThatThrownBy(() -> DemoFolder.firstFreeBase(List.of(5432), 3, port -> false))
                .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.code()).isEqualTo(ExitCode.PORT));
    }

    private void demoWith(ProcessMark mark) {
        new DemoFolder(folder).prepare(new java.security.SecureRandom());
        new DemoState(List.of(new DemoNode(NODE1, DemoNode.HOST, Ports.from(5432), folder.resolve("node1"), mark)))
                .write(folder);
    }
}
