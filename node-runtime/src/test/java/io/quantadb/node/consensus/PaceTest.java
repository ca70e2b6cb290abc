package io.quantadb.node.consensus;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** How slow this node and its links are said to be. */
class PaceTest {
    private static final long MS = 1_000_000L;
    private static final NodeId N2 = new NodeId("n2");

    private record Told(long tickLateNanos, Map<NodeId, Long> answersNanos) {}

    private final List<Told> told = new ArrayList<>();
    private final Pace pace = new Pace(
            new RaftListener() {
                @Override
                public void onChanged(RaftStatus status) {}

                @Override
                public void onLease(long untilNanos) {}

                @Override
                public void onTick(long nowNanos) {}

                @Override
                public void onPace(long tickLateNanos, Map<NodeId, Long> answersNanos) {
                    told.add(new Told(tickLateNanos, answersNanos));
                }

                @Override
                public void onRegressed(PeerId peer) {}

                @Override
                public void onFault(Throwable fault) {}
            },
            0);
    /** A process that has come to rest. */
    private long now = 20_000 * MS;

    @Test
    void whatHappensAtTheStartOfAProcessOrOfAMemberCountsForNothing() {
        // Given
        now = 0;
        for (int i = 0; i < 1_000; i++) {
            pace.answered(N2, 300 * MS, now);
            tick(300 * MS);
        }

        // When
        now += 11_000 * MS;
        for (int i = 0; i < 500; i++) {
            pace.answered(N2, 300 * MS, now);
            tick(0);
        }

        // Then
        assertThat(told.getLast()).isEqualTo(new Told(0, Map.of(N2, 0L)));
    }

    @Test
    void tellsOnceASecondWhatTheSlowestWereButForTwoHiccups() {
        // Given
        tick(0);
        told.clear();

        // When
        for (int i = 0; i < 100; i++) {
            tick(i == 20 || i == 50 ? 400 * MS : i == 70 ? 30 * MS : MS);
        }

        // Then
        assertThat(told).containsExactly(new Told(30 * MS, Map.of()));
    }

    @Test
    void takesWhatANodeAnswersAllAtOnceForOneAnswer() {
        // Given
        for (int i = 0; i < 150; i++) {
            pace.answered(N2, 2 * MS, now);
            tick(0);
            now += 200 * MS;
        }

        // When it wakes and answers what it was asked for ten seconds
        for (int i = 0; i < 200; i++) {
            pace.answered(N2, (10_000 - 50 * i) * MS, now + i);
        }
        now += 1_000 * MS;
        tick(0);

        // Then
        assertThat(told.getLast().answersNanos()).containsEntry(N2, 2 * MS);
    }

    @Test
    void noticesALinkThatHasBecomeSlowWithinASecond() {
        // Given
        for (int i = 0; i < 150; i++) {
            pace.answered(N2, 2 * MS, now);
            now += 200 * MS;
        }

        // When
        for (int i = 0; i < 4; i++) {
            pace.answered(N2, 180 * MS, now);
            now += 200 * MS;
        }
        now += 300 * MS;
        tick(0);

        // Then
        assertThat(told.getLast().answersNanos()).containsEntry(N2, 180 * MS);
    }

    @Test
    void forgetsWhatIsOlderThanAMinute() {
        // Given
        for (int i = 0; i < 10; i++) {
            tick(200 * MS);
        }

        // When
        now += 55_000 * MS;
        tick(MS);
        Told before = told.getLast();
        now += 10_000 * MS;
        tick(MS);

        // Then
        assertThat(before.tickLateNanos()).isEqualTo(200 * MS);
        assertThat(told.getLast().tickLateNanos()).isLessThanOrEqualTo(MS);
    }

    private void tick(long lateNanos) {
        now += 10 * MS;
        pace.ticked(lateNanos, true, now);
    }
}
