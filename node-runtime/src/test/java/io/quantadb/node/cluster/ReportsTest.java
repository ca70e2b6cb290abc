package io.quantadb.node.cluster;

import static io.quantadb.node.cluster.TestingStates.N1;
import static io.quantadb.node.cluster.TestingStates.N2;
import static io.quantadb.node.cluster.TestingStates.N3;
import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What n1, which leads and is primary, makes of members that are behind; a standby is slow after 10 s. */
class ReportsTest {
    private static final long MS = 1_000_000L;

    private final Context ctx = leader();
    private final Reports reports = new Reports(ctx);
    private final RuleKeeper rules = new RuleKeeper(ctx, reports);

    private static Context leader() {
        Context ctx = new Context(TestingStates.peer(N1), new ProtocolRules(), 1, 0, 1_000_000_000L);
        ctx.state = TestingStates.three();
        ctx.leader = true;
        ctx.ownTermApplied = true;
        ctx.term = 2;
        return ctx;
    }

    @Test
    void aStandbyIsSlowWhenWhatItLacksIsOlderThanItMayBeAndNoMoreOnceItHasThat() {
        // Given
        follow(9_000, 1_000);
        boolean soon = slow(N3);

        // When
        follow(2_000, 1_000);
        boolean late = slow(N3);
        reports.keep(N3, standby(20_000));

        // Then
        assertThat(soon).isFalse();
        assertThat(late).isTrue();
        assertThat(slow(N2)).isFalse();
        assertThat(slow(N3)).isFalse();
    }

    @Test
    void aStandbyIsNotSlowWhileNothingIsWritten() {
        // Given
        reports.keep(N1, primary(1_000));
        reports.keep(N3, standby(1_000));

        // When
        ctx.now += 60_000 * MS;
        reports.keep(N1, primary(1_000));

        // Then
        assertThat(slow(N3)).isFalse();
    }

    @Test
    void commitsWaitForASlowStandbyUnlessTheyMayWaitForFewer() {
        // Given all must acknowledge
        mode(Settings.Policy.BLOCK);
        follow(15_000, 1_000);
        Rule blocked = rules.wanted(Set.of());

        // When
        mode(Settings.Policy.SHRINK);
        follow(15_000, 1_000);
        Rule shrunk = rules.wanted(Set.of());

        // Then
        assertThat(blocked).isEqualTo(TestingStates.rule(2, N2, N3));
        assertThat(shrunk).isEqualTo(TestingStates.rule(1, N2));
    }

    private void mode(Settings.Policy policy) {
        ctx.state = new Draft(ctx.state)
                .settings(ctx.state.settings().withRule(Settings.Mode.ALL, policy, 1_000))
                .done();
    }

    /** The primary writes, n2 flushes it all and n3 nothing beyond that position. */
    private void follow(int millis, long n3Has) {
        for (int ms = 0; ms < millis; ms += 100) {
            ctx.now += 100 * MS;
            long end = ctx.now / MS;
            reports.keep(N1, primary(end));
            reports.keep(N2, standby(end));
            reports.keep(N3, standby(n3Has));
            rules.onTick(Set.of(), Set.of());
        }
    }

    private boolean slow(NodeId node) {
        return reports.slow(ctx.state.members().get(node));
    }

    private LocalStatus primary(long flushed) {
        return status(ServerState.PRIMARY, 0, flushed);
    }

    private LocalStatus standby(long flushed) {
        return status(ServerState.STANDBY, 1, flushed);
    }

    private LocalStatus status(ServerState server, long streamingEpoch, long flushed) {
        Lsn at = new Lsn(flushed);
        return new LocalStatus(
                1,
                0,
                10,
                ctx.state.version(),
                ctx.state.epoch(),
                server,
                1,
                false,
                null,
                at,
                streamingEpoch,
                at,
                true,
                "");
    }
}
