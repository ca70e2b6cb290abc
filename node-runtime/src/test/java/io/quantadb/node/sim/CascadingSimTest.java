package io.quantadb.node.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quantadb.node.cluster.AdminRequest;
import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.MemberKind;
import io.quantadb.node.cluster.ProtocolRules;
import io.quantadb.node.cluster.Settings;
import io.quantadb.node.common.NodeId;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Clusters whose read replicas are fed by standbys, and go to them soon, so that much happens. */
class CascadingSimTest {
    private static final long CHAOS_MS = 6_000;
    /** Of {@link SimRun#cascading}: how many shapes there are, and which has five data nodes. */
    private static final int SHAPES = 4;

    private static final int FIVE = 2;
    private static final int DIVIDED = 12;

    private static class Soon extends ProtocolRules {
        @Override
        public long upstreamHoldNanos() {
            return 20 * SimWorld.MS;
        }
    }

    private static class AtOnce extends ProtocolRules {
        @Override
        public long upstreamHoldNanos() {
            return 0;
        }
    }

    static LongStream seeds() {
        long first = Long.getLong("sim.seed", 0);
        return LongStream.range(first, first + Math.max(1, Integer.getInteger("sim.runs", 200) / 10));
    }

    @ParameterizedTest(name = "cascading={0}")
    @MethodSource("seeds")
    void losesNothingFeedsOnlyWhatThePrimaryHasAndConverges(long seed) {
        SimRun run = SimRun.cascading(seed, new Soon(), new SimBugs());
        try {
            run.all(CHAOS_MS);
            assertThat(run.world.oracle.acknowledged).isPositive();
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("reproduce: make sim RUNS=1 SEED=" + seed, e);
        }
    }

    @Test
    void aReplicaWhoseUpstreamDiesOrIsPromotedGoesOnWithoutANewCopy() {
        // Given
        SimRun run = SimRun.cascading(0, new Soon(), new SimBugs());
        run.form();
        run.clients();
        SimNode fed = replica(run);
        SimNode upstream = standby(run);
        run.awaitTrue("the replica has a copy", 10_000, () -> fed.relay.upstream() != null);
        List<NodeId> copies = new ArrayList<>();
        run.world.whenCloning = n -> copies.add(n.id);

        // When it is to be fed
        new SimUpstreams(run.world, run.nodes).ask(fed.id, upstream.id);

        // Then
        awaitUpstream(run, fed, upstream);
        awaitMore(run, fed);
        assertThat(run.world.oracle.fed).isPositive();

        // When the upstream dies
        upstream.crash();

        // Then
        awaitUpstream(run, fed, run.serving());
        awaitMore(run, fed);

        // When it returns
        upstream.start();
        awaitUpstream(run, fed, upstream);

        // When the primary dies, until the upstream is promoted
        for (int i = 0; i < 10 && !upstream.id.equals(run.world.oracle.committed.primary()); i++) {
            SimNode primary = run.world.nodes.get(run.world.oracle.committed.primary());
            primary.crash();
            run.awaitTrue("another serves", 20_000, () -> run.serving() != null && run.serving() != primary);
            primary.start();
            run.awaitTrue(
                    "all are in the rule again",
                    30_000,
                    () -> run.world.oracle.committed.rule().set().size() == 2
                            && run.world.oracle.committed.nextRule() == null
                            && run.serving() != null);
        }

        // Then
        assertThat(run.world.oracle.committed.primary()).isEqualTo(upstream.id);
        awaitUpstream(run, fed, upstream);
        awaitMore(run, fed);
        assertThat(copies).doesNotContain(fed.id);
    }

    /** What a standby must not do: give what it has under an epoch that it has not been compared for. */
    @Test
    void aStandbyThatFeedsUnderAnEpochThatItDoesNotStreamInIsNoticed() {
        // Given
        ProtocolRules bug = new AtOnce() {
            @Override
            public boolean mayFeed(ClusterState state, long streamed) {
                return true;
            }
        };

        // When
        List<Long> noticed = LongStream.range(0, DIVIDED)
                .filter(seed -> noticed(seed, bug))
                .boxed()
                .toList();
        List<Long> without = LongStream.range(0, DIVIDED)
                .filter(seed -> noticed(seed, new AtOnce()))
                .boxed()
                .toList();

        // Then
        assertThat(noticed).isNotEmpty();
        assertThat(without).isEmpty();
    }

    private static boolean noticed(long seed, ProtocolRules rules) {
        try {
            divided(seed, rules);
            return false;
        } catch (AssertionError e) {
            if (String.valueOf(e.getMessage()).startsWith("FEED")) {
                return true;
            }
            throw e;
        }
    }

    /**
     * The primary and the standby that feeds the replica are cut off together, so that this standby alone gets what is
     * written last; three others promote one of them; and the standby comes back before the new epoch is released, while
     * its data may not be thrown away yet.
     */
    private static void divided(long seed, ProtocolRules rules) {
        SimRun run = SimRun.cascading(FIVE + SHAPES * seed, rules, new SimBugs());
        run.form();
        run.clients();
        SimNode fed = replica(run);
        SimNode upstream = standby(run);
        SimNode primary = run.serving();
        run.awaitTrue("the replica has a copy", 10_000, () -> fed.relay.upstream() != null);
        new SimUpstreams(run.world, run.nodes).ask(fed.id, upstream.id);
        awaitUpstream(run, fed, upstream);
        List<SimNode> others =
                run.nodes.stream().filter(n -> n != upstream && n != primary).toList();
        others.forEach(n -> List.of(upstream, primary).forEach(cut -> {
            run.world.network.cut(n.id, cut.id);
            run.world.network.cut(cut.id, n.id);
        }));
        run.awaitTrue("another is promoted", 20_000, () -> run.world.oracle.committed.epoch() > 1);
        others.forEach(n -> n.slow.begin(SimSlowness.Part.WAL_FLUSH, 2_000, 3_000));
        run.world.network.heal();
        run.run(3_000);
    }

    @Test
    void commitsAreAcknowledgedThoughAVoterWasToBeFedByAnother() {
        // When
        SimRun run = withAVoterFed(new Soon());

        // Then
        assertThat(run.world.oracle.committed.members().values())
                .allSatisfy(m -> assertThat(m.upstream()).isNull());
    }

    /** What a wish must not do: end acknowledgement. */
    @Test
    void aVoterThatIsFedByAnotherStandbyIsNoticed() {
        // Given
        ProtocolRules bug = new Soon() {
            @Override
            public boolean mayBeFed(MemberKind kind) {
                return true;
            }
        };

        // When, then
        assertThatThrownBy(() -> withAVoterFed(bug))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("a commit is acknowledged");
    }

    private static SimRun withAVoterFed(ProtocolRules rules) {
        SimRun run = SimRun.cascading(0, rules, new SimBugs());
        run.form();
        run.clients();
        SimNode upstream = standby(run);
        NodeId primary = run.serving().id;
        SimNode other = run.nodes.stream()
                .filter(n -> n.kind == MemberKind.DATA && n != upstream && !n.id.equals(primary))
                .findFirst()
                .orElseThrow();
        run.nodes.forEach(n -> n.event(new io.quantadb.node.cluster.Event.AdminAsked(
                0, new AdminRequest.ChangeMode(Settings.Mode.ALL, Settings.Policy.BLOCK, 1_000))));
        run.awaitTrue(
                "both must acknowledge",
                10_000,
                () -> run.world.oracle.committed.rule().k() == 2 && run.world.oracle.committed.nextRule() == null);
        new SimUpstreams(run.world, run.nodes).ask(other.id, upstream.id);
        run.run(2_000);
        long before = run.world.oracle.acknowledged;
        run.awaitTrue("a commit is acknowledged", 10_000, () -> run.world.oracle.acknowledged > before + 5);
        return run;
    }

    private static SimNode replica(SimRun run) {
        return run.nodes.stream()
                .filter(n -> n.kind == MemberKind.READ_REPLICA)
                .findFirst()
                .orElseThrow();
    }

    private static SimNode standby(SimRun run) {
        NodeId primary = run.serving().id;
        return run.nodes.stream()
                .filter(n -> n.kind == MemberKind.DATA && !n.id.equals(primary))
                .findFirst()
                .orElseThrow();
    }

    private static void awaitUpstream(SimRun run, SimNode fed, SimNode upstream) {
        run.awaitTrue(
                "%s streams from %s".formatted(fed.id, upstream.id),
                30_000,
                () -> upstream.id.equals(fed.relay.upstream()));
    }

    private static void awaitMore(SimRun run, SimNode fed) {
        int before = fed.pg.flushed;
        run.awaitTrue(fed.id + " gets more WAL", 10_000, () -> fed.pg.flushed > before + 5);
    }
}
