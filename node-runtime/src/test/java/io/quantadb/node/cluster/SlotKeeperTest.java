package io.quantadb.node.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.cluster.SlotKeeper.Notice;
import io.quantadb.node.cluster.SlotKeeper.Round;
import io.quantadb.node.cluster.SlotKeeper.Step;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import io.quantadb.node.common.ReplicationSlot;
import io.quantadb.node.common.SlotNames;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Which slots a server is to have: n1 is primary of epoch 1, n2 and n3 follow it, w only votes. */
class SlotKeeperTest {
    private static final long MB = 1 << 20;
    private static final long BOUND = 100 * MB;
    private static final NodeId N1 = new NodeId("n1");
    private static final NodeId N2 = new NodeId("n2");
    private static final NodeId N3 = new NodeId("n3");
    private static final Lsn END = at(500);

    private final SlotKeeper primary = new SlotKeeper(N1);
    private final SlotKeeper standby = new SlotKeeper(N2);

    @Test
    void aPrimaryMakesASlotForEveryOtherMemberThatHoldsData() {
        // When
        Round round = primary.next(onPrimary(slot(N2, 500)));

        // Then: and tells nobody before all are there, since what is not named is dropped
        assertThat(round.steps()).containsExactly(new Step.Create(SlotNames.of(N3)));
        assertThat(round.tell()).isNull();
    }

    @Test
    void aPrimaryTellsFromWhereOnItKeepsWalForEach() {
        // When
        Round round = primary.next(onPrimary(slot(N2, 500), slot(N3, 450)));

        // Then
        assertThat(round.steps()).isEmpty();
        assertThat(round.notices()).isEmpty();
        assertThat(round.tell()).isEqualTo(new KeptWal(1, Map.of(N1, END, N2, at(500), N3, at(450))));
    }

    @Test
    void warnsOnceBeforeTheBoundAndAgainOnlyAfterTheMemberHadCaughtUp() {
        // When
        Round below = primary.next(onPrimary(slot(N2, 500), slot(N3, 426)));
        Round near = primary.next(onPrimary(slot(N2, 500), slot(N3, 425)));
        Round nearer = primary.next(onPrimary(slot(N2, 500), slot(N3, 410)));
        primary.next(onPrimary(slot(N2, 500), slot(N3, 445)));
        Round stillAbove = primary.next(onPrimary(slot(N2, 500), slot(N3, 420)));
        primary.next(onPrimary(slot(N2, 500), slot(N3, 460)));
        Round again = primary.next(onPrimary(slot(N2, 500), slot(N3, 420)));

        // Then
        assertThat(below.notices()).isEmpty();
        assertThat(near.notices()).containsExactly(new Notice.NearTheBound(N3, 75 * MB, BOUND));
        assertThat(nearer.notices()).isEmpty();
        assertThat(stillAbove.notices()).isEmpty();
        assertThat(again.notices()).containsExactly(new Notice.NearTheBound(N3, 80 * MB, BOUND));
    }

    @Test
    void aPrimaryMovesTheSlotOfAMemberThatAnotherStandbyFeedsToWhereThatIs() {
        // Given
        ReplicationSlot streams = new ReplicationSlot(SlotNames.of(N2), true, false, at(490));

        // When
        Round behind = primary.next(fed(Map.of(N3, at(480)), streams, slot(N3, 400)));
        Round ahead = primary.next(fed(Map.of(N3, at(600)), streams, slot(N3, 400)));
        Round near = primary.next(fed(Map.of(N3, new Lsn(at(400).value() + MB - 1)), streams, slot(N3, 400)));
        Round lost = primary.next(fed(Map.of(N3, at(480)), streams, lostSlot(N3)));
        Round byItsStream = primary.next(fed(Map.of(N2, at(480)), streams, slot(N3, 500)));

        // Then: never beyond the end of its own WAL
        assertThat(behind.steps()).containsExactly(new Step.Advance(SlotNames.of(N3), at(480)));
        assertThat(ahead.steps()).containsExactly(new Step.Advance(SlotNames.of(N3), END));
        assertThat(near.steps()).isEmpty();
        assertThat(lost.steps()).isEmpty();
        assertThat(byItsStream.steps()).isEmpty();
    }

    private static SlotKeeper.Seen fed(Map<NodeId, Lsn> fed, ReplicationSlot... slots) {
        return new SlotKeeper.Seen(state(), true, false, END, BOUND, List.of(slots), null, fed);
    }

    @Test
    void leavesALostSlotAsItIsSaysSoOnceAndKeepsNothingForThatMember() {
        // When
        Round first = primary.next(onPrimary(slot(N2, 500), lostSlot(N3)));
        Round second = primary.next(onPrimary(slot(N2, 500), lostSlot(N3)));
        Round back = primary.next(onPrimary(slot(N2, 500), slot(N3, 490)));
        Round lostAgain = primary.next(onPrimary(slot(N2, 500), lostSlot(N3)));

        // Then
        assertThat(first.steps()).isEmpty();
        assertThat(first.notices()).containsExactly(new Notice.Lost(N3, BOUND));
        assertThat(first.lost()).containsExactly(N3);
        assertThat(first.tell()).isEqualTo(new KeptWal(1, Map.of(N1, END, N2, at(500))));
        assertThat(second.notices()).isEmpty();
        assertThat(back.lost()).isEmpty();
        assertThat(lostAgain.notices()).containsExactly(new Notice.Lost(N3, BOUND));
    }

    @Test
    void dropsTheSlotOfAMemberThatIsGoneOnceTheStateIsOfNowAndNobodyUsesIt() {
        // Given
        ReplicationSlot gone = slot(new NodeId("n4"), 100);
        ReplicationSlot used = new ReplicationSlot(SlotNames.of(new NodeId("n5")), true, false, at(500));

        // When
        Round old = primary.next(seen(false, false, null, slot(N2, 500), slot(N3, 500), gone, used));
        Round now = primary.next(seen(true, false, null, slot(N2, 500), slot(N3, 500), gone, used));

        // Then
        assertThat(old.steps()).isEmpty();
        assertThat(now.steps()).containsExactly(new Step.Drop(gone.name()));
    }

    @Test
    void aStandbyMovesItsSlotsToWhatThePrimaryKeepsAndNoFurtherThanItHasApplied() {
        // Given
        KeptWal told = new KeptWal(1, Map.of(N2, at(480), N3, at(450)));
        KeptWal ahead = new KeptWal(1, Map.of(N2, at(480), N3, at(700)));

        // When
        Round moved = standby.next(onStandby(told, slot(N1, 400), slot(N3, 400)));
        Round capped = standby.next(onStandby(ahead, slot(N1, 500), slot(N3, 400)));

        // Then: the primary that comes back has at least what this one has applied
        assertThat(moved.steps())
                .containsExactly(new Step.Advance(SlotNames.of(N1), END), new Step.Advance(SlotNames.of(N3), at(450)));
        assertThat(capped.steps()).containsExactly(new Step.Advance(SlotNames.of(N3), END));
        assertThat(moved.tell()).isNull();
    }

    @Test
    void aStandbyMovesNothingBackNorForLessThanASegmentCanHold() {
        // Given
        KeptWal told = new KeptWal(1, Map.of(N3, at(450)));
        ReplicationSlot justBehind = new ReplicationSlot(SlotNames.of(N3), false, false, at(450).plus(-1_000));

        // When
        Round round = standby.next(onStandby(told, slot(N1, 500), justBehind));
        Round before = standby.next(onStandby(told, slot(N1, 500), slot(N3, 470)));

        // Then
        assertThat(round.steps()).isEmpty();
        assertThat(before.steps()).isEmpty();
    }

    @Test
    void aStandbyKeepsWhatItHasUntilThePrimaryIsHeard() {
        // Given
        KeptWal ofAnotherEpoch = new KeptWal(7, Map.of());

        // When
        Round unheard = standby.next(onStandby(null, slot(N1, 500), slot(N3, 100)));
        Round old = standby.next(onStandby(ofAnotherEpoch, slot(N1, 500), slot(N3, 100)));

        // Then
        assertThat(unheard.steps()).isEmpty();
        assertThat(old.steps()).isEmpty();
    }

    @Test
    void aStandbyDropsWhatThePrimaryHasGivenUpAndMakesALostOneAnewOnceItsMemberIsWell() {
        // Given
        KeptWal without = new KeptWal(1, Map.of(N2, at(480)));
        KeptWal with = new KeptWal(1, Map.of(N2, at(480), N3, at(450)));

        // When
        Round given = standby.next(onStandby(without, slot(N1, 500), slot(N3, 100)));
        Round nothing = standby.next(onStandby(without, slot(N1, 500)));
        Round made = standby.next(onStandby(with, slot(N1, 500)));
        Round anew = standby.next(onStandby(with, slot(N1, 500), lostSlot(N3)));

        // Then
        String n3 = SlotNames.of(N3);
        assertThat(given.steps()).containsExactly(new Step.Drop(n3));
        assertThat(nothing.steps()).isEmpty();
        assertThat(made.steps()).containsExactly(new Step.Create(n3));
        assertThat(anew.steps()).containsExactly(new Step.Drop(n3), new Step.Create(n3));
    }

    @Test
    void leavesTheSlotsOfAStandbyThatAMemberFetchesFromToItsStream() {
        // Given
        KeptWal told = new KeptWal(1, Map.of(N3, at(480)));
        ReplicationSlot used = new ReplicationSlot(SlotNames.of(N3), true, false, at(100));

        // When
        Round round = standby.next(onStandby(told, slot(N1, 500), used));

        // Then
        assertThat(round.steps()).isEmpty();
    }

    @Test
    void howFarThePrimarysOwnWalGoesMovesNoSlot() {
        // Given
        KeptWal without = new KeptWal(1, Map.of(N3, at(480)));
        KeptWal with = new KeptWal(1, Map.of(N1, at(900), N3, at(480)));

        // When
        Round older = standby.next(onStandby(without, slot(N1, 400), slot(N3, 400)));
        Round newer = standby.next(onStandby(with, slot(N1, 400), slot(N3, 400)));

        // Then
        assertThat(newer.steps())
                .containsExactlyInAnyOrder(
                        new Step.Advance(SlotNames.of(N1), END), new Step.Advance(SlotNames.of(N3), at(480)));
        assertThat(older).isEqualTo(newer);
    }

    @Test
    void theEndOfThePrimarysWalIsKnownInTheEpochInWhichItWasTold() {
        // Given
        KeptWal told = new KeptWal(1, Map.of(N1, at(900), N3, at(480)));

        // When / Then
        assertThat(told.end(N1, 1)).isEqualTo(at(900));
        assertThat(told.end(N1, 2)).isEqualTo(Lsn.NONE);
        assertThat(told.end(N2, 1)).isEqualTo(Lsn.NONE);
    }

    @Test
    void decidesNothingWhileTheServerIsNotWhatTheStateSays() {
        // When
        Round notPromotedYet = primary.next(seen(true, true, null));
        Round notStoppedYet = standby.next(seen(true, false, null));

        // Then
        assertThat(notPromotedYet).isEqualTo(Round.NOTHING);
        assertThat(notStoppedYet).isEqualTo(Round.NOTHING);
    }

    @Test
    void readsWhatAPrimarySaidAndNothingElse() {
        // Given
        KeptWal kept = new KeptWal(3, Map.of(N2, at(1), N3, at(2)));
        byte[] bytes = kept.encode();

        // When / Then
        assertThat(KeptWal.decode(bytes)).isEqualTo(kept);
        for (int length = 0; length < bytes.length; length++) {
            byte[] cut = java.util.Arrays.copyOf(bytes, length);
            org.assertj.core.api.Assertions.assertThatIllegalArgumentException().isThrownBy(() -> KeptWal.decode(cut));
        }
    }

    // ---- what is there

    private static Lsn at(long megabytes) {
        return new Lsn(megabytes * MB);
    }

    private static ReplicationSlot slot(NodeId member, long megabytes) {
        return new ReplicationSlot(SlotNames.of(member), false, false, at(megabytes));
    }

    private static ReplicationSlot lostSlot(NodeId member) {
        return new ReplicationSlot(SlotNames.of(member), false, true, Lsn.NONE);
    }

    private static SlotKeeper.Seen onPrimary(ReplicationSlot... slots) {
        return seen(true, false, null, slots);
    }

    private static SlotKeeper.Seen onStandby(@Nullable KeptWal told, ReplicationSlot... slots) {
        return seen(true, true, told, slots);
    }

    private static SlotKeeper.Seen seen(
            boolean current, boolean inRecovery, @Nullable KeptWal told, ReplicationSlot... slots) {
        return new SlotKeeper.Seen(state(), current, inRecovery, END, BOUND, List.of(slots), told);
    }

    private static ClusterState state() {
        var transitions = new Transitions(new ProtocolRules());
        ClusterState s = transitions
                .apply(
                        ClusterState.EMPTY,
                        new Command.Bootstrap("c", 1, 1, member("n1", MemberKind.DATA), 1, Settings.DEFAULT))
                .state();
        for (Member m : List.of(
                member("n2", MemberKind.DATA), member("n3", MemberKind.DATA), member("w", MemberKind.WITNESS))) {
            s = transitions.apply(s, new Command.AddMember(m)).state();
        }
        assertThat(s.members()).hasSize(4);
        return s;
    }

    private static Member member(String node, MemberKind kind) {
        HostPort here = new HostPort("127.0.0.1", 1);
        return new Member(
                new PeerId(new NodeId(node), 11),
                1,
                kind,
                MemberState.VOTER,
                new Addresses(here, here, here, here, here),
                "",
                100,
                false);
    }
}
