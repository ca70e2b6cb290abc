package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.api.ClusterView;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.config.ConfigLoader;
import io.quantadb.node.config.NodeConfig;
import io.quantadb.node.coordinator.NodeFacts;
import io.quantadb.node.relay.RelaySnapshot;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a node says before it knows any members, which whoever founds clusters rests on; and how well members follow. */
class ViewsTest {
    private final NodeConfig config = new ConfigLoader(Path.of("/x"), Map.of()).load(null, List.of());

    private ClusterView.Membership membership(@Nullable NodeFacts facts) {
        return Views.joining(config, Instant.EPOCH, facts).membership();
    }

    private static NodeFacts facts(String clusterId) {
        return new NodeFacts(new NodeId("node1"), 1, clusterId, 0, 0, 0, "", null);
    }

    @Test
    void anEmptyDiskBelongsToNoCluster() {
        assertThat(membership(null)).isEqualTo(ClusterView.Membership.NONE);
    }

    @Test
    void aDiskWithoutAClustersNameBelongsToNone() {
        assertThat(membership(facts(""))).isEqualTo(ClusterView.Membership.NONE);
    }

    @Test
    void aMembersDiskNeverSaysThatItBelongsToNone() {
        assertThat(membership(facts("u-1.00000000000000ff"))).isEqualTo(ClusterView.Membership.STARTING);
    }

    @ParameterizedTest(name = "open: {0}, its receiver silent for {1} ms: {2}")
    @CsvSource({"true, 0, true", "true, 2999, true", "true, 3000, false", "false, 0, false"})
    void aMemberIsThereWhileItsReceiverSpeaksOnAnOpenStream(boolean open, long silentMillis, boolean there) {
        // Given
        long now = 100_000_000_000L;
        var member = new MemberRef(new NodeId("node2"), 1);
        var stream = new RelaySnapshot.Member(
                member, 1, open, Lsn.NONE, Lsn.NONE, Lsn.NONE, 0, 0, 0, -1, now - silentMillis * 1_000_000, 0, 0, 0);

        // When / Then
        assertThat(Views.speaks(stream, now)).isEqualTo(there);
        assertThat(Views.speaks(null, now)).isFalse();
    }

    @ParameterizedTest(name = "{0} behind what was last sent, flushed {1}, the server {2}: {3}")
    @CsvSource({"100, 0/1000, 0/1064, 100", "0, 0/1000, 0/5000, 16384", "100, 0/1000, 0/900, 100", "-1, 0/0, 0/5000, -1"
    })
    void aMemberIsBehindByWhatTheServerHasAlsoWhenNothingIsSentToIt(
            long lastSent, String flushed, String end, long behind) {
        // Given
        var stream = new RelaySnapshot.Member(
                new MemberRef(new NodeId("node2"), 1),
                1,
                true,
                Lsn.NONE,
                Lsn.parse(flushed),
                Lsn.NONE,
                lastSent,
                0,
                0,
                -1,
                0,
                0,
                0,
                0);

        // When / Then
        assertThat(Views.lagBytes(stream, Lsn.parse(end))).isEqualTo(behind);
    }

    @ParameterizedTest(name = "{0} bytes behind with max_lag_bytes={1}, {2} ms with max_lag_time=500 ms: {3}")
    @CsvSource({
        "-1, 1000, -1, UNKNOWN",
        "0, 1000, 0, HEALTHY",
        "1000, 1000, 500, HEALTHY",
        "1001, 1000, 0, LAGGING",
        "1001, 2000, 0, HEALTHY",
        "10, 2000, 501, LAGGING",
    })
    void aFollowerLagsBeyondTheConfiguredLimits(long lag, long limit, long lagMs, ClusterView.Health health) {
        assertThat(new Behind(lag, lagMs).health(limit, 500)).isEqualTo(health);
    }

    @ParameterizedTest(name = "streaming: {0}, one is a witness: {1}, silent for {2} ms, to be heard: {3}: {4}")
    @CsvSource({
        "true, false, -1, false, UNKNOWN",
        "true, false, 9000, false, UNKNOWN",
        "true, false, -1, true, UNKNOWN",
        "true, false, 9000, true, DOWN",
        "true, true, 9000, true, DOWN",
        "false, false, -1, false, DOWN",
        "false, true, -1, false, UNKNOWN",
        "false, true, -1, true, DOWN",
    })
    void whoIsSilentIsDownOnlyWhereItWouldBeHeard(
            boolean streaming, boolean witness, long silentMillis, boolean expected, ClusterView.State state) {
        assertThat(Views.away(streaming, witness, silentMillis, expected)).isEqualTo(state);
    }
}
