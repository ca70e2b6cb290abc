package io.quantadb.node.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.verify.RowDifference.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TableComparisonTest {
    private static final int BLOCKS = 100;
    private static final TableRef TABLE = new TableRef("public", "orders", BLOCKS * 8192L, 8192, "");
    /** Ranges of 32 blocks, pieces of 4. */
    private static final Limits LIMITS =
            new Limits(0, 32 * 8192, 4, 3, Duration.ofSeconds(30), Duration.ofSeconds(30), 5);

    private final TestingReader primary = new TestingReader("a").withRows(BLOCKS);
    private final TestingReader second = new TestingReader("b").withRows(BLOCKS);
    private final TestingReader third = new TestingReader("c").withRows(BLOCKS);
    private final TestingPauses time = new TestingPauses();
    private final Map<NodeId, String> lost = new LinkedHashMap<>();
    private final List<Long> progress = new ArrayList<>();

    @Test
    void equalTablesTakeOneReadingOfEachRange() {
        // When
        TableResult result = compare();

        // Then
        assertThat(result.rows()).isEqualTo(BLOCKS);
        assertThat(result.nodes().values()).allMatch(NodeResult::same).hasSize(3);
        assertThat(List.of(primary.digests, second.digests, third.digests)).containsOnly(4);
        assertThat(primary.readings).isZero();
        assertThat(progress).hasSize(4).isSorted().last().isEqualTo(TABLE.bytes());
    }

    @Test
    void namesTheRowsThatDifferAndHowAndOnlyOnTheNodeWhereTheyDo() {
        // Given
        second.put(40, 666);
        second.rows.remove(new RowPlace(41, 1));
        second.put(250, 7);

        // When
        TableResult result = compare();

        // Then
        List<RowDifference> found = rowsOf(result, second);
        assertThat(found)
                .containsExactly(
                        new RowDifference(new RowPlace(40, 1), Kind.CHANGED),
                        new RowDifference(new RowPlace(41, 1), Kind.MISSING),
                        new RowDifference(new RowPlace(250, 1), Kind.EXTRA));
        assertThat(result.nodes().get(third.node).same()).isTrue();
        assertThat(result.nodes().get(primary.node).same()).isTrue();
        assertThat(result.rows()).isEqualTo(BLOCKS);
        assertThat(result.nodes().get(second.node).rowsDiffering()).isEqualTo(3);
    }

    @Test
    void aRangeThatIsWrittenToWhileItIsReadIsNotTakenForDifferent() {
        // Given each reading of the standby is followed by a change of block 3 on both
        long[] version = {0};
        second.afterRead = () -> {
            version[0]++;
            primary.put(3, version[0]);
            second.put(3, version[0]);
            third.put(3, version[0]);
        };
        primary.afterRead = second.afterRead;

        // When
        TableResult result = compare();

        // Then
        assertThat(result.nodes().values()).allMatch(NodeResult::same);
        assertThat(primary.readings).isPositive();
    }

    @Test
    void namesTheBlockThatCannotBeReadAndComparesTheRest() {
        // Given
        second.brokenBlocks.add(50L);
        second.put(51, 666);

        // When
        TableResult result = compare();

        // Then
        assertThat(result.nodes().get(second.node).findings())
                .filteredOn(Finding.Unreadable.class::isInstance)
                .containsExactly(new Finding.Unreadable(new BlockRange(50, 51, false), "invalid page in block 50"));
        assertThat(rowsOf(result, second)).containsExactly(new RowDifference(new RowPlace(51, 1), Kind.CHANGED));
        assertThat(result.rows()).isEqualTo(BLOCKS);
        assertThat(result.nodes().get(third.node).same()).isTrue();
    }

    @Test
    void aBlockThatThePrimaryCannotReadIsAFindingOfThePrimary() {
        // Given
        primary.brokenBlocks.add(99L);

        // When
        TableResult result = compare();

        // Then
        assertThat(result.nodes().get(primary.node).findings())
                .containsExactly(new Finding.Unreadable(new BlockRange(99, 100, true), "invalid page in block 99"));
        assertThat(result.rows()).isEqualTo(BLOCKS - 1);
        assertThat(result.nodes().get(second.node).same()).isTrue();
    }

    @Test
    void leavesOutAStandbyThatDoesNotReplay() {
        // Given
        third.replayed = new Lsn(999);

        // When
        TableResult result = compare();

        // Then
        assertThat(lost.get(third.node)).contains("0/3E7 and not 0/3E8 after 30 s");
        assertThat(result.nodes()).containsOnlyKeys(primary.node, second.node);
        assertThat(time.passed()).isBetween(Duration.ofSeconds(30), Duration.ofSeconds(31));
    }

    @Test
    void provesADifferenceOnAnIdlePrimaryWhoseLastRecordNobodyFlushes() {
        // Given
        primary.written = new Lsn(1024);
        second.put(0, 666);

        // When
        TableResult result = compare();

        // Then
        assertThat(rowsOf(result, second)).hasSize(1);
        assertThat(time.passed()).isBetween(Duration.ofSeconds(1), Duration.ofSeconds(5));
    }

    @Test
    void triesAgainWhereAConflictEndedTheReading() {
        // Given
        second.failures.add(
                new ReadFailure.Passing(second.node, "conflict with recovery", new IllegalStateException()));
        second.failures.add(
                new ReadFailure.Passing(second.node, "conflict with recovery", new IllegalStateException()));

        // When
        TableResult result = compare();

        // Then
        assertThat(result.nodes().values()).allMatch(NodeResult::same);
    }

    @Test
    void saysWhatCouldNotBeReadForLongAndGoesOn() {
        // Given
        for (int i = 0; i < LIMITS.tries(); i++) {
            second.failures.add(new ReadFailure.Passing(second.node, "lock timeout", new IllegalStateException()));
        }
        second.put(99, 666);

        // When
        NodeResult result = compare().nodes().get(second.node);

        // Then
        assertThat(result.open()).containsExactly("blocks 0 to 31: lock timeout");
        assertThat(result.rowsDiffering()).isEqualTo(1);
    }

    @Test
    void goesOnWithoutAStandbyWhoseSessionEnds() {
        // Given
        second.failures.add(new ReadFailure.Lost(second.node, "the connection broke", new IllegalStateException()));

        // When
        TableResult result = compare();

        // Then
        assertThat(lost).containsExactly(Map.entry(second.node, "the connection broke"));
        assertThat(result.nodes()).containsOnlyKeys(primary.node, third.node);
        assertThat(second.digests).isEqualTo(1);
    }

    @Test
    void endsWhenThePrimarysSessionEnds() {
        // Given
        primary.failures.add(new ReadFailure.Lost(primary.node, "57P01", new IllegalStateException()));

        // When / Then
        assertThatThrownBy(this::compare).isInstanceOf(ReadFailure.Lost.class);
    }

    @Test
    void aTableThatIsDroppedMeanwhileIsNoDifference() {
        // Given the standby has replayed the drop that the primary is about to finish
        ReadFailure gone = new ReadFailure.Gone(second.node, "does not exist", new IllegalStateException());
        second.failures.add(gone);
        primary.afterRead = () ->
                primary.failures.add(new ReadFailure.Gone(primary.node, "does not exist", new IllegalStateException()));

        // When
        TableResult result = compare();

        // Then
        assertThat(result.compared()).isFalse();
        assertThat(result.whyNot()).contains("dropped");
    }

    @Test
    void aTableThatOnlyTheStandbyDoesNotKnowIsAFinding() {
        // Given
        second.failures.add(new ReadFailure.Gone(second.node, "relation does not exist", new IllegalStateException()));

        // When
        NodeResult result = compare().nodes().get(second.node);

        // Then
        assertThat(result.unreadable()).isEqualTo(1);
        assertThat(result.open()).containsExactly("the standby does not know the table");
    }

    @Test
    void saysSoWhenThePrimaryMayNotBeReadAndAsksNobodyElse() {
        // Given
        primary.failures.add(new ReadFailure.Refused(
                primary.node, "permission denied for table orders", new IllegalStateException()));

        // When
        TableResult result = compare();

        // Then
        assertThat(result.nodes().get(primary.node).open()).containsExactly("permission denied for table orders");
        assertThat(second.digests).isZero();
    }

    @Test
    void stopsLookingAfterSoManyFindings() {
        // Given
        for (int block = 0; block < BLOCKS; block++) {
            second.put(block, 666);
        }

        // When
        NodeResult result = compare().nodes().get(second.node);

        // Then
        assertThat(result.findings()).hasSize(LIMITS.findingsMax());
        assertThat(result.open()).singleElement().asString().contains("the rest of the table was not looked at");
    }

    private TableResult compare() {
        Pace pace = new Pace(0, time);
        return new TableComparison(TABLE, primary, List.of(second, third), LIMITS, time, pace)
                .compare("shop", progress::add, lost);
    }

    private static List<RowDifference> rowsOf(TableResult result, TestingReader node) {
        return result.nodes().get(node.node).findings().stream()
                .filter(Finding.Rows.class::isInstance)
                .flatMap(finding -> ((Finding.Rows) finding).rows().stream())
                .toList();
    }
}
