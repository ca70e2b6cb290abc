package io.quantadb.node.front;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.front.Gate.Direction;
import io.quantadb.node.front.Gate.Pass;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class GateTest {
    private static final FrontView.Primary SELF =
            new FrontView.Primary(new NodeId("a"), new HostPort("127.0.0.1", 6432), new HostPort("127.0.0.1", 5432));

    private final AtomicBoolean lease = new AtomicBoolean(true);
    private final AtomicReference<Lsn> voice = new AtomicReference<>(new Lsn(10));
    private final Gate gate = new Gate(_ -> lease.get(), FrontView.primary(3, SELF));

    @Test
    void forwardsOnlyInTheSessionsEpochAndUnderTheLease() {
        assertThat(answer(3)).isEqualTo(Pass.FORWARD);
        assertThat(answer(2)).isEqualTo(Pass.CUT);
        lease.set(false);
        assertThat(answer(3)).isEqualTo(Pass.HOLD_LEASE);
        assertThat(gate.decide(3, Direction.STATEMENT)).isEqualTo(Pass.HOLD_LEASE);
    }

    @Test
    void cutsThePrimarysSessionsAndHoldsThoseOfAStandbyWhenClosed() {
        gate.setView(FrontView.closed("fenced", null));
        assertThat(answer(3)).isEqualTo(Pass.CUT);
        assertThat(answer(0)).isEqualTo(Pass.HOLD_CLOSED);
        assertThat(gate.decide(0, Direction.STATEMENT)).isEqualTo(Pass.HOLD_CLOSED);
    }

    @Test
    void takesOverTheSessionsOfAStandbyWithItsPromotion() {
        gate.setView(FrontView.standby(null));
        assertThat(gate.rebind(0)).isZero();
        assertThat(answer(0)).isEqualTo(Pass.FORWARD);
        gate.setView(FrontView.primary(4, SELF));
        assertThat(gate.rebind(0)).isEqualTo(4);
    }

    @Test
    void holdsAllAnswersFromACancelledWaitUntilTheVoiceHasPassedIt() {
        // Given
        long ticket = gate.waitCancelled(3);
        assertThat(answer(3)).isEqualTo(Pass.HOLD_ANSWERS);
        assertThat(gate.decide(3, Direction.STATEMENT)).isEqualTo(Pass.FORWARD);
        // When
        gate.holdAnswers(ticket, new Lsn(20), voice::get);
        // Then
        assertThat(answer(3)).isEqualTo(Pass.HOLD_ANSWERS);
        voice.set(new Lsn(20));
        assertThat(answer(3)).isEqualTo(Pass.FORWARD);
    }

    @Test
    void keepsAHoldThatBeganWhileItWasShutWhenItOpensAgainInTheSameEpoch() {
        // Given
        gate.setView(FrontView.primary(3, SELF));
        gate.setView(FrontView.closed("the lease ran out", null));
        long ticket = gate.waitCancelled(gate.view().epoch());

        // When
        gate.setView(FrontView.primary(3, SELF));
        Pass shut = answer(3);
        gate.holdAnswers(ticket, new Lsn(20), voice::get);
        voice.set(new Lsn(20));

        // Then
        assertThat(shut).isEqualTo(Pass.HOLD_ANSWERS);
        assertThat(answer(3)).isEqualTo(Pass.FORWARD);
    }

    @Test
    void doesNotLiftASecondWaitByThePositionOfTheFirst() {
        // Given
        long first = gate.waitCancelled(3);
        long second = gate.waitCancelled(3);
        // When
        gate.holdAnswers(first, new Lsn(5), voice::get);
        gate.settle();
        // Then
        assertThat(answer(3)).isEqualTo(Pass.HOLD_ANSWERS);
        gate.holdAnswers(second, new Lsn(6), voice::get);
        assertThat(answer(3)).isEqualTo(Pass.FORWARD);
    }

    @Test
    void keepsAHoldThroughAFenceAndForgetsItInALaterEpoch() {
        gate.holdAnswers(0, new Lsn(20), voice::get);
        gate.setView(FrontView.closed("fenced", null));
        gate.setView(FrontView.primary(3, SELF));
        assertThat(answer(3)).isEqualTo(Pass.HOLD_ANSWERS);
        gate.setView(FrontView.primary(4, SELF));
        assertThat(answer(4)).isEqualTo(Pass.FORWARD);
    }

    @Test
    void drainsOnlyAsLongAsItServesTheSameEpoch() {
        gate.setDraining(true);
        gate.setView(FrontView.primary(3, SELF));
        assertThat(gate.draining()).isTrue();
        gate.setView(FrontView.closed("fenced", null));
        assertThat(gate.draining()).isFalse();
        gate.setDraining(true);
        gate.setView(FrontView.primary(4, SELF));
        assertThat(gate.draining()).isFalse();
    }

    private Pass answer(long epoch) {
        return gate.decide(epoch, Direction.ANSWER);
    }
}
