package io.quantadb.node.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.cluster.AdminRequest;
import io.quantadb.node.cluster.ProtocolRules;
import io.quantadb.node.cluster.ServerState;
import io.quantadb.node.cluster.Settings;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A primary that is cut off for long, and shows its data read-only meanwhile. */
class MinoritySimTest {
    @ParameterizedTest(name = "seed={0}")
    @ValueSource(longs = {0, 1, 6, 8, 9})
    void aFormerPrimaryThatServesReadsComesBackAndNothingIsLost(long seed) {
        // Given
        SimRun run = SimRun.of(seed, new ProtocolRules(), new SimBugs());
        run.form();
        run.clients();
        run.fences.ask(new AdminRequest.ChangeMinorityReads(Settings.MinorityReads.ALL));
        run.awaitTrue(
                "the setting is committed",
                5_000,
                () -> run.world.oracle.committed.settings().minorityReads() == Settings.MinorityReads.ALL);
        SimNode former = run.serving();
        run.nodes.stream().filter(n -> n != former).forEach(n -> {
            run.world.network.cut(former.id, n.id);
            run.world.network.cut(n.id, former.id);
        });

        // When
        run.awaitTrue(
                "its server runs in recovery",
                10_000,
                () -> former.core.status().server() == ServerState.STANDBY);
        run.awaitTrue("another serves", 10_000, () -> run.serving() != null && run.serving() != former);
        run.world.network.heal();

        // Then
        run.live();
        assertThat(run.world.oracle.committed.epoch()).isGreaterThan(1);
    }
}
