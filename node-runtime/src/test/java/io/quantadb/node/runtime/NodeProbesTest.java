package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.api.ClusterView;
import io.quantadb.node.config.ConfigLoader;
import io.quantadb.node.config.NodeConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class NodeProbesTest {
    private final NodeConfig config = new ConfigLoader(Path.of("/x"), Map.of()).load(null, List.of());
    private long nowNanos = 1_000_000_000L;
    private ClusterView view = view(ClusterView.State.STREAMING, "");
    private NodeEngine.@Nullable Cloning cloning;
    private String waitsFor = "";
    private final NodeProbes probes = new NodeProbes(() -> nowNanos, () -> view, () -> cloning, () -> waitsFor);

    @Test
    void isAliveAndNotReadyWhileItWaitsForACluster() {
        view = view(ClusterView.State.STARTING, "not in a cluster yet");
        pass(Duration.ofHours(5));

        assertThat(probes.live().good()).isTrue();
        assertThat(probes.ready().good()).isFalse();
        assertThat(probes.ready().reason()).isEqualTo("not in a cluster yet");
        assertThat(probes.startup().good()).isTrue();
        assertThat(probes.startup().status()).isEqualTo("waiting");
    }

    @Test
    void isStuckWhenTheCoreThreadDoesNotTurn() {
        // Given
        probes.enter(NodeProbes.Stage.RUNNING);
        assertThat(probes.ready().good()).isTrue();

        // When
        pass(NodeProbes.FRESH.plusMillis(1));

        // Then
        assertThat(probes.ready().good()).isFalse();
        assertThat(probes.live().good()).isTrue();
        pass(NodeProbes.LIVE);
        assertThat(probes.live().good()).isFalse();
        assertThat(probes.live().reason()).contains("core thread");
        probes.beat();
        assertThat(probes.live().good()).isTrue();
    }

    @Test
    void isAliveWhateverPeersAndPostgresDo() {
        // Given
        probes.enter(NodeProbes.Stage.RUNNING);

        // When
        view = view(ClusterView.State.DOWN, "no leader is known");

        // Then
        assertThat(probes.live().good()).isTrue();
        assertThat(probes.ready().good()).isFalse();
        assertThat(probes.ready().reason()).isEqualTo("no leader is known");
    }

    @Test
    void letsACloneGoOnAsLongAsBytesCome() {
        // Given
        probes.enter(NodeProbes.Stage.RUNNING);
        view = view(ClusterView.State.CLONING, "its server is empty");

        // When
        for (int hour = 1; hour <= 8; hour++) {
            cloning = new NodeEngine.Cloning((long) hour << 30, 100L << 30);
            assertThat(probes.startup().status()).isEqualTo("cloning");
            pass(NodeProbes.STUCK);
        }

        // Then
        assertThat(probes.startup().good()).isTrue();
        pass(Duration.ofSeconds(1));
        assertThat(probes.startup().good()).isFalse();
        assertThat(probes.startup().status()).isEqualTo("stuck");
        assertThat(probes.startup().reason()).contains("8192 of 102400 MiB");
    }

    @Test
    void aCloneThatWaitsForItsTurnIsNotStuckHoweverLongThatIs() {
        // Given
        probes.enter(NodeProbes.Stage.RUNNING);
        view = view(ClusterView.State.CLONING, "waits for its turn: node2 is being copied, since 34 s");
        waitsFor = view.reason();

        // When
        pass(Duration.ofHours(5));
        boolean waiting = probes.startup().good();
        String why = probes.startup().reason();
        waitsFor = "";
        pass(NodeProbes.STUCK);
        boolean begun = probes.startup().good();
        pass(Duration.ofSeconds(1));

        // Then the time without a byte counts from when it began
        assertThat(waiting).isTrue();
        assertThat(why).contains("node2 is being copied");
        assertThat(begun).isTrue();
        assertThat(probes.startup().good()).isFalse();
    }

    @Test
    void isNotReadyWhileItStops() {
        probes.enter(NodeProbes.Stage.RUNNING);
        probes.enter(NodeProbes.Stage.STOPPING);

        assertThat(probes.ready().good()).isFalse();
        assertThat(probes.live().good()).isTrue();
    }

    private void pass(Duration time) {
        nowNanos += time.toNanos();
    }

    private ClusterView view(ClusterView.State state, String reason) {
        ClusterView base = Views.joining(config, Instant.EPOCH, null);
        return new ClusterView(
                base.node(),
                base.startTime(),
                0,
                ClusterView.Role.REPLICA,
                state,
                base.addresses(),
                base.raft(),
                null,
                0,
                0,
                base.lastLsn(),
                "",
                null,
                base.membership(),
                base.clusterId(),
                List.of(),
                null,
                false,
                false,
                false,
                reason.isEmpty(),
                reason);
    }
}
