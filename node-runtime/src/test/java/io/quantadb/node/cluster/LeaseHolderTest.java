package io.quantadb.node.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import org.junit.jupiter.api.Test;

/** The clock given is one that goes on while the machine is suspended. */
class LeaseHolderTest {
    private static final long LEASE = 200 * Context.MILLIS;
    private static final long ASLEEP = 60_000 * Context.MILLIS;

    private long now = 1_000_000;
    private final Context ctx = new Context(new PeerId(new NodeId("n1"), 1), new ProtocolRules(), 1, 0, now);
    private final LeaseHolder lease = new LeaseHolder(ctx, 7);

    @Test
    void aLeaseFromBeforeASuspensionIsOverAndOnlyANewRequestWinsOne() {
        // Given
        ctx.leaderId = new NodeId("n2");
        long granted = ask();
        grant(granted);
        long answeredLate = ask();
        assertThat(lease.until(false)).isEqualTo(now + LEASE);

        // When the machine sleeps with an answer on its way
        now += ASLEEP;
        ctx.advance(now);
        grant(answeredLate);

        // Then
        assertThat(lease.until(false)).isLessThan(now);
        grant(ask());
        assertThat(lease.until(false)).isEqualTo(now + LEASE);
    }

    private long ask() {
        lease.ask();
        return ctx.drain().stream()
                .map(a -> ((CoordMessage.LeaseRequest) ((Action.Send) a).message()).requestId())
                .findFirst()
                .orElseThrow();
    }

    private void grant(long request) {
        lease.onGrant(new CoordMessage.LeaseGrant(ctx.term, ctx.state.epoch(), request, LEASE));
    }
}
