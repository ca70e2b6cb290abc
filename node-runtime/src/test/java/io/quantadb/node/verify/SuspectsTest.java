package io.quantadb.node.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.verify.RowDifference.Kind;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SuspectsTest {
    private static final RowVersion OLD = new RowVersion(7, 1, 100, 11);
    private static final RowVersion NEW = new RowVersion(7, 2, 150, 22);
    private static final long QUIET = 1_000;

    @Test
    void nothingIsInDoubtWhereBothShowTheSame() {
        // When
        Suspects suspects = Suspects.first(reading(QUIET, OLD, NEW), reading(QUIET, NEW, OLD));

        // Then
        assertThat(suspects.settled()).isTrue();
        assertThat(suspects.differences()).isEmpty();
    }

    @Test
    void aRowThatWasUpdatedBetweenTheReadingsIsCleared() {
        // Given the standby was read after the update
        Suspects suspects = Suspects.first(reading(QUIET, OLD), reading(QUIET, NEW));
        assertThat(suspects.settled()).isFalse();

        // When
        Suspects later = suspects.next(reading(QUIET, NEW), reading(QUIET, NEW));

        // Then
        assertThat(later.settled()).isTrue();
        assertThat(later.differences()).isEmpty();
    }

    @Test
    void aCommitThatWaitsForItsAcknowledgementIsNoDifferenceHoweverLongItWaits() {
        // Given transaction 150 has replaced the row; the standby shows it, the primary waits
        Reading primary = new Reading(Map.of(OLD, false), 150, 140);
        Reading standby = new Reading(Map.of(NEW, true), 151, 151);
        Suspects suspects = Suspects.first(primary, standby);

        // When
        for (int i = 0; i < 10; i++) {
            suspects = suspects.next(primary, standby);
        }

        // Then
        assertThat(suspects.differences()).isEmpty();
        assertThat(suspects.open()).hasSize(2);
        assertThat(suspects.settled()).isFalse();
    }

    @Test
    void aRowThatNobodyTouchesAndTheStandbyLacksIsProvenAtOnceWhateverRuns() {
        // Given
        Reading primary = new Reading(Map.of(OLD, true), 5, 6);
        Reading standby = reading(QUIET);

        // When
        Suspects suspects = Suspects.first(primary, standby).next(primary, standby);

        // Then
        assertThat(suspects.settled()).isTrue();
        assertThat(suspects.differences()).containsExactly(new RowDifference(OLD.place(), Kind.MISSING));
    }

    @Test
    void whatStandsInTheStandbysPlaceOfAnUntouchedRowIsProvenWithIt() {
        // Given a long transaction keeps the horizon back
        RowVersion forged = new RowVersion(7, 1, 100, 666);
        Reading primary = new Reading(Map.of(OLD, true), 5, 6);
        Reading standby = reading(QUIET, forged);

        // When
        Suspects suspects = Suspects.first(primary, standby).next(primary, standby);

        // Then
        assertThat(suspects.settled()).isTrue();
        assertThat(suspects.differences()).containsExactly(new RowDifference(OLD.place(), Kind.CHANGED));
    }

    @Test
    void aRowThatOnlyTheStandbyHasIsProvenWhenEverythingItKnewHasEnded() {
        // Given
        Reading standby = new Reading(Map.of(OLD, true, NEW, true), 151, 151);
        Suspects suspects = Suspects.first(new Reading(Map.of(OLD, true), 120, 121), standby);

        // When
        Suspects tooEarly = suspects.next(new Reading(Map.of(OLD, true), 150, 151), standby);
        Suspects past = tooEarly.next(new Reading(Map.of(OLD, true), 151, 152), standby);

        // Then
        assertThat(tooEarly.differences()).isEmpty();
        assertThat(past.differences()).containsExactly(new RowDifference(NEW.place(), Kind.EXTRA));
        assertThat(past.settled()).isTrue();
    }

    @Test
    void aDifferenceThatGoesAwayIsNone() {
        // Given
        Reading primary = reading(QUIET, OLD);
        Suspects proven = Suspects.first(primary, reading(QUIET)).next(primary, reading(QUIET));
        assertThat(proven.differences()).hasSize(1);

        // When a full page from the primary has healed the standby
        Suspects healed = proven.next(primary, reading(QUIET, OLD));

        // Then
        assertThat(healed.differences()).isEmpty();
        assertThat(healed.settled()).isTrue();
    }

    @Test
    void rowsThatAppearLaterAreNotLookedAt() {
        // Given
        Reading both = reading(QUIET, OLD);
        Suspects suspects = Suspects.first(both, reading(QUIET)).next(both, both);

        // When
        Suspects later = suspects.next(reading(QUIET, OLD, NEW), both);

        // Then
        assertThat(later.settled()).isTrue();
    }

    static LongStream seeds() {
        return LongStream.range(0, 300);
    }

    @ParameterizedTest(name = "seed={0}")
    @MethodSource("seeds")
    void neverTakesAHotRowForADifference(long seed) {
        // Given
        ReplicaModel model = new ReplicaModel(seed);
        Suspects suspects = model.firstPair();

        // When / Then
        for (int round = 0; round < 12; round++) {
            assertThat(suspects.differences()).as("round %d", round).isEmpty();
            suspects = model.nextPair(suspects);
        }
        model.quiesce();
        suspects = model.nextPair(suspects);
        assertThat(suspects.settled()).isTrue();
        assertThat(suspects.differences()).isEmpty();
    }

    @ParameterizedTest(name = "seed={0}")
    @MethodSource("seeds")
    void findsWhatIsWrongUnderTheSameLoadAndNothingElse(long seed) {
        // Given
        ReplicaModel model = new ReplicaModel(seed);
        Map<RowPlace, Kind> planted = model.corrupt();

        // When
        Suspects suspects = model.firstPair();
        for (int round = 0; round < 12; round++) {
            suspects = model.nextPair(suspects);
            assertThat(planted.keySet()).containsAll(places(suspects));
        }
        model.quiesce();
        suspects = model.nextPair(suspects);

        // Then
        Map<RowPlace, Kind> found = new HashMap<>();
        suspects.differences().forEach(row -> found.put(row.place(), row.kind()));
        assertThat(suspects.settled()).isTrue();
        assertThat(found).isEqualTo(planted);
    }

    private static java.util.List<RowPlace> places(Suspects suspects) {
        return suspects.differences().stream().map(RowDifference::place).toList();
    }

    private static Reading reading(long past, RowVersion... rows) {
        Map<RowVersion, Boolean> all = new HashMap<>();
        for (RowVersion row : rows) {
            all.put(row, true);
        }
        return new Reading(all, past, past);
    }
}
