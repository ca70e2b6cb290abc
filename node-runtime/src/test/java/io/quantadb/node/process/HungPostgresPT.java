package io.quantadb.node.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.cli.DemoNode;
import io.quantadb.node.cli.NodeProcesses;
import io.quantadb.node.cli.ProcessMark;
import io.quantadb.node.testing.PostgresVersion;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A PostgreSQL that neither answers nor ends: all of its processes are stopped, as by a kernel or a volume that hangs. */
class HungPostgresPT extends OnOneCluster {
    private static final String STILL = "this node's PostgreSQL stands still";

    @Override
    TestingThree formed() {
        return TestingThree.form(getClass(), PostgresVersion.V15);
    }

    @Test
    void anotherTakesOverFromAPrimaryWhosePostgresStandsStillAndNothingIsLost() throws Exception {
        // Given
        DemoNode old = cluster.primary();
        long epoch = cluster.view().epoch();
        long told = cluster.said(old, STILL);
        ProcessMark agent = TestingThree.agent(old);
        List<ProcessMark> tree = NodeProcesses.postgresTree(old.postgresData());
        assertThat(tree).hasSizeGreaterThan(1);
        try (Writes writes = Writes.steady(cluster)) {
            try {
                // When
                signal("-STOP", tree);
                DemoNode successor = cluster.awaitSuccessor(old);

                // Then
                writes.awaitAcknowledgedAfter(System.nanoTime());
                assertThat(successor.id()).isNotEqualTo(old.id());
                await("the old server is gone")
                        .atMost(TestingThree.PATIENCE)
                        .until(() -> tree.stream().noneMatch(ProcessMark::isAlive));
            } finally {
                signal("-CONT", tree);
            }
            writes.auditEverywhere();
            assertThat(agent.isAlive()).as("the agent lives on").isTrue();
            assertThat(cluster.view().epoch()).isGreaterThan(epoch);
            assertThat(cluster.said(old, STILL)).isGreaterThan(told);
        }
    }

    @Test
    void inMaintenanceItStaysAndServesOnOnceItGoesOn() throws Exception {
        // Given
        DemoNode primary = cluster.primary();
        long epoch = cluster.view().epoch();
        long told = cluster.said(primary, STILL);
        List<ProcessMark> tree = NodeProcesses.postgresTree(primary.postgresData());
        try (Writes writes = Writes.steady(cluster)) {
            assertThat(cluster.command("maintenance", "on", "--for", "10m").status())
                    .isZero();
            try {
                // When
                signal("-STOP", tree);
                await("it is noticed").atMost(TestingThree.PATIENCE).until(() -> cluster.said(primary, STILL) > told);
                await("it is said why nobody takes over")
                        .atMost(TestingThree.PATIENCE)
                        .untilAsserted(
                                () -> assertThat(cluster.command("status").out())
                                        .contains("its PostgreSQL stands still; the cluster is in maintenance"));
            } finally {
                signal("-CONT", tree);
            }

            // Then
            writes.awaitAcknowledgedAfter(System.nanoTime());
            await("it is well again")
                    .atMost(TestingThree.PATIENCE)
                    .untilAsserted(
                            () -> assertThat(cluster.command("status").out()).doesNotContain("stands still"));
            assertThat(cluster.view().epoch()).isEqualTo(epoch);
            assertThat(cluster.view().primary()).isEqualTo(primary.id().value());
            assertThat(cluster.command("maintenance", "off").status()).isZero();
            writes.auditEverywhere();
        }
    }

    /** To those of these very processes that still live. */
    private static void signal(String signal, List<ProcessMark> to) throws Exception {
        List<String> command = new ArrayList<>(List.of("kill", signal));
        to.stream()
                .filter(ProcessMark::isAlive)
                .map(mark -> Long.toString(mark.pid()))
                .forEach(command::add);
        if (command.size() > 2) {
            Process kill = new ProcessBuilder(command).start();
            assertThat(kill.waitFor(10, TimeUnit.SECONDS)).isTrue();
        }
    }
}
