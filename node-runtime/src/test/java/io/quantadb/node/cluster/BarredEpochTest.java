package io.quantadb.node.cluster;

import static io.quantadb.node.cluster.TestingStates.N1;
import static io.quantadb.node.cluster.TestingStates.N2;
import static io.quantadb.node.cluster.TestingStates.N3;
import static io.quantadb.node.cluster.TestingStates.after;
import static io.quantadb.node.cluster.TestingStates.rule;
import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * n1 was released in epoch 1; it and n2, which acknowledged there, have ended on branches of their own, and n3 is the only one
 * that may copy. n3 leads.
 */
class BarredEpochTest {
    private static final long MS = 1_000_000L;
    private static final Lsn FORK = new Lsn(1_000);
    private static final Lsn BEYOND = new Lsn(9_000);

    private final Context ctx = new Context(TestingStates.peer(N3), new ProtocolRules(), 1, 0, 1_000_000_000L);
    private final Reports reports = new Reports(ctx);
    private final BarredEpoch barred = new BarredEpoch(ctx, reports);

    @Test
    void givesEachFurtherEpochTwiceAsLongSoThatACopyOfAnySizeComesToItsEnd() {
        // Given
        ctx.state = TestingStates.three();
        List<Long> waits = new ArrayList<>();

        // When each of the two is tried again and again
        for (int i = 0; i < 7; i++) {
            promote(i % 2 == 0 ? N2 : N1);
            waits.add(secondsUntilBarred(i % 2 == 0 ? N1 : N2));
        }

        // Then
        assertThat(waits).containsExactly(4L, 4L, 8L, 16L, 32L, 64L, 128L);
    }

    @Test
    void anEpochThatIsReleasedIsNeverBarred() {
        // Given
        ctx.state = TestingStates.three();
        promote(N2);
        ctx.state = after(ctx.state, new Command.Release(Command.Condition.of(ctx.state), 1, FORK));

        // When
        ctx.now += 3_600_000 * MS;
        reports.keep(N1, diverged());

        // Then
        assertThat(ctx.state.released()).isTrue();
        assertThat(barred.now()).isFalse();
    }

    @Test
    void epochsThatEndedForAnotherCauseDoNotMakeTheNextOneWaitLonger() {
        // Given
        ctx.state = TestingStates.three();
        for (int i = 0; i < 8; i++) {
            promote(i % 2 == 0 ? N2 : N1, "the primary is silent");
        }

        // When
        long waited = secondsUntilBarred(N2);

        // Then
        assertThat(waited).isEqualTo(4);
    }

    @Test
    void waitsForACopyAsLongAsItGoesWellWhereNobodyElseCouldFollowTheOther() {
        // Given
        ctx.state = TestingStates.three();
        promote(N2);

        // When
        for (int i = 0; i < 30 * 60 * 10; i++) {
            ctx.now += 100 * MS;
            reports.keep(N1, diverged());
            reports.keep(N3, copying(""));
            assertThat(barred.now()).isFalse();
        }

        // Then one that fails is given the time to begin anew
        for (int i = 0; i < 39; i++) {
            ctx.now += 100 * MS;
            reports.keep(N1, diverged());
            reports.keep(N3, copying("clone from n2: the disk is full"));
            assertThat(barred.now()).isFalse();
        }
        ctx.now += 100 * MS;
        assertThat(barred.now()).isTrue();
    }

    @Test
    void givesWhoeverHasItsCopyTheTimeToFollow() {
        // Given
        ctx.state = TestingStates.three();
        promote(N2);
        assertThat(barred.now()).isFalse();
        ctx.now += 10_000 * MS;
        reports.keep(N1, diverged());
        reports.keep(N3, copying(""));
        assertThat(barred.now()).isFalse();

        // When it has data and does not stream yet
        ctx.now += 3_900 * MS;
        reports.keep(N1, diverged());
        reports.keep(N3, diverged());

        // Then
        assertThat(barred.now()).isFalse();
        ctx.now += 100 * MS;
        assertThat(barred.now()).isTrue();
    }

    @Test
    void waitsForNoCopyWhereAnotherWithDataCouldFollow() {
        // Given a fourth that may have what n1 has
        NodeId other = new NodeId("n4");
        ctx.state = after(TestingStates.three(), new Command.AddMember(TestingStates.member(other)));
        promote(N2);
        reports.keep(N1, diverged());
        reports.keep(N3, copying(""));
        assertThat(barred.now()).isFalse();

        // When
        ctx.now += 4_000 * MS;
        reports.keep(N1, diverged());
        reports.keep(N3, copying(""));
        assertThat(barred.now()).as("it is not heard").isFalse();
        for (int i = 0; i < 40; i++) {
            ctx.now += 100 * MS;
            reports.keep(N1, diverged());
            reports.keep(N3, copying(""));
            reports.keep(other, diverged());
            // Then, four seconds after it was thought to be alone
            assertThat(barred.now()).isEqualTo(i == 39);
        }
    }

    private void promote(NodeId node) {
        boolean first = ctx.state.released();
        promote(node, first ? "the primary is silent" : Cause.barred().words());
    }

    private void promote(NodeId node, String reason) {
        ClusterState s = ctx.state;
        ctx.state = after(
                s,
                new Command.Promote(
                        Command.Condition.of(s),
                        s.epoch() + 1,
                        node,
                        1,
                        node.equals(N1) ? Command.PromoteKind.SAME_PRIMARY : Command.PromoteKind.FROZEN,
                        ctx.rules.nextTimeline(s),
                        new Position(1, FORK),
                        rule(1, N3),
                        0,
                        reason));
        assertThat(ctx.state.epoch()).isEqualTo(s.epoch() + 1);
    }

    private long secondsUntilBarred(NodeId other) {
        long began = ctx.now;
        reports.keep(other, diverged());
        while (!barred.now()) {
            ctx.now += 100 * MS;
            reports.keep(other, diverged());
            assertThat(ctx.now - began).as("waited").isLessThan(3_600_000 * MS);
        }
        return (ctx.now - began) / (1_000 * MS);
    }

    /** Of a node whose data are being replaced; why that fails, if it does. */
    private LocalStatus copying(String reason) {
        return new LocalStatus(
                2,
                0,
                10,
                ctx.state.version(),
                ctx.state.epoch(),
                ServerState.EMPTY,
                0,
                false,
                null,
                Lsn.NONE,
                0,
                Lsn.NONE,
                reason.isEmpty(),
                reason);
    }

    /** Of a node that stands by with WAL of the first timeline, from beyond where the present one left it. */
    private LocalStatus diverged() {
        return new LocalStatus(
                1,
                0,
                10,
                ctx.state.version(),
                ctx.state.epoch(),
                ServerState.DOWN,
                0,
                false,
                new Position(1, BEYOND),
                BEYOND,
                0,
                BEYOND,
                true,
                "");
    }
}
