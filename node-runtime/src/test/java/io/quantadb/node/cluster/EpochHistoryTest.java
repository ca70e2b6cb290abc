package io.quantadb.node.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * <pre>
 * timeline 1 ──────┬─ 100 ──────────── n1, epoch 1
 *            2     └─ 100 ──┬── 150 ── n2, epoch 2
 *            3              └─ 150     n3, epoch 3
 *            4 ──── from 1 at 90       n1, epoch 4 (2 and 3 were never released)
 * </pre>
 */
class EpochHistoryTest {
    private static final NodeId N1 = new NodeId("n1");
    private static final List<EpochRecord> HISTORY = List.of(
            new EpochRecord(1, N1, 1, 0, Lsn.NONE, Lsn.NONE, true),
            began(2, 2, 1, 100),
            began(3, 3, 2, 150),
            began(4, 4, 1, 90));

    @Test
    void whatLiesOnTheBranchIsCommonUpToItsEnd() {
        assertThat(common(3, 1, 80)).isEqualTo(new Lsn(80));
        assertThat(common(3, 2, 140)).isEqualTo(new Lsn(140));
        assertThat(common(3, 3, 500)).isEqualTo(new Lsn(500));
    }

    @Test
    void whatWentOnAlongAnAncestorIsCommonUpToTheFork() {
        assertThat(common(2, 1, 120)).isEqualTo(new Lsn(100));
        assertThat(common(3, 1, 1_000)).isEqualTo(new Lsn(100));
        assertThat(common(3, 2, 151)).isEqualTo(new Lsn(150));
    }

    @Test
    void ofTwoTimelinesThatLeftAThirdTheEarlierForkCounts() {
        assertThat(common(4, 2, 140)).isEqualTo(new Lsn(90));
        assertThat(common(4, 3, 900)).isEqualTo(new Lsn(90));
        assertThat(common(3, 4, 95)).isEqualTo(new Lsn(90));
        assertThat(common(1, 4, 95)).isEqualTo(new Lsn(90));
    }

    @Test
    void ofATimelineThatTheHistoryDoesNotKnowNothingIsKnown() {
        assertThat(common(3, 9, 120)).isEqualTo(Lsn.NONE);
        assertThat(common(9, 1, 120)).isEqualTo(Lsn.NONE);
    }

    private static Lsn common(int branch, int timeline, long lsn) {
        return EpochHistory.commonUpTo(HISTORY, branch, new Position(timeline, new Lsn(lsn)));
    }

    private static EpochRecord began(long epoch, int timeline, int parent, long fork) {
        return new EpochRecord(epoch, N1, timeline, parent, new Lsn(fork), new Lsn(fork), true);
    }
}
