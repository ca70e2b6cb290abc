package io.quantadb.node.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.cluster.Action;
import io.quantadb.node.cluster.Addresses;
import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.Command;
import io.quantadb.node.cluster.EpochRecord;
import io.quantadb.node.cluster.Event;
import io.quantadb.node.cluster.Member;
import io.quantadb.node.cluster.MemberKind;
import io.quantadb.node.cluster.MemberState;
import io.quantadb.node.cluster.Position;
import io.quantadb.node.cluster.ProtocolRules;
import io.quantadb.node.cluster.ServerState;
import io.quantadb.node.cluster.Settings;
import io.quantadb.node.cluster.Transitions;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class EngineActionsTest {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final NodeId N2 = new NodeId("n2");
    private static final HostPort HERE = new HostPort("127.0.0.1", 1);
    private static final Addresses AT = new Addresses(HERE, HERE, HERE, HERE, HERE);

    private final List<Event> events = new CopyOnWriteArrayList<>();
    private final Consumer<Event> core = events::add;
    private final TestingEngine engine = new TestingEngine();
    private final EngineActions actions = new EngineActions(engine, this::state);
    private volatile @Nullable Member source;
    private volatile Lsn fork = Lsn.NONE;

    @AfterEach
    void close() {
        actions.close();
    }

    @Test
    void saysAgainThatAServerEndedWhichEndedWhileItStarted() {
        // Given
        engine.running = false;

        // When
        actions.perform(new Action.StartPrimary(), core);

        // Then
        awaitEvents(3);
        assertThat(events.getLast()).isInstanceOf(Event.ServerExited.class);
        assertThat(events.get(1)).isInstanceOf(Event.ServerPrimaryReady.class);
    }

    @Test
    void saysAgainThatAStandbyEndedWhichEndedWhileItStarted() {
        // Given
        engine.running = false;

        // When
        actions.perform(new Action.StartStandby(), core);

        // Then
        awaitEvents(2);
        assertThat(events).first().isEqualTo(new Event.ServerChanged(ServerState.STANDBY, 1));
        assertThat(events.getLast()).isInstanceOf(Event.ServerExited.class);
    }

    @Test
    void aStopInterruptsAPromotionWhichThenClaimsNothing() throws InterruptedException {
        // Given
        engine.blockPromotion = true;
        actions.perform(new Action.PromoteServer(5, 3), core);
        engine.promoting.await();

        // When
        actions.perform(new Action.StopServer(true), core);

        // Then
        awaitEvents(2);
        assertThat(events)
                .containsExactly(
                        new Event.ServerChanged(ServerState.PROMOTING, 0),
                        new Event.ServerChanged(ServerState.DOWN, 0));
    }

    @Test
    void aStopThrowsAwayWhatWaitsBehindAPromotion() throws InterruptedException {
        // Given
        engine.blockPromotion = true;
        actions.perform(new Action.PromoteServer(5, 3), core);
        engine.promoting.await();
        actions.perform(new Action.StartPrimary(), core);
        actions.perform(new Action.ReadPosition(7), core);

        // When
        actions.perform(new Action.StopServer(true), core);
        actions.perform(new Action.ReadPosition(8), core);

        // Then
        awaitEvents(3);
        assertThat(engine.calls).containsExactly("promote", "stop", "position");
        assertThat(events.getLast()).isEqualTo(new Event.PositionRead(8, new Position(1, new Lsn(100))));
    }

    @Test
    void aStopThatComesAfterAPromotionIsOverIsToldLast() throws InterruptedException {
        // Given
        actions.perform(new Action.PromoteServer(5, 3), core);
        awaitEvents(3);

        // When
        actions.perform(new Action.StopServer(true), core);

        // Then
        awaitEvents(4);
        assertThat(events.getLast()).isEqualTo(new Event.ServerChanged(ServerState.DOWN, 0));
    }

    @Test
    void aProbeThatDidNotWaitCondemnsOnlyAServerThatRuns() {
        // Given
        engine.running = false;

        // When
        actions.perform(new Action.ProbeCommit(1), core);
        await().atMost(SOON).until(() -> engine.calls.contains("probe asked running"));
        engine.running = true;
        actions.perform(new Action.ProbeCommit(2), core);

        // Then
        awaitEvents(1);
        assertThat(events).containsExactly(new Event.ProbeCommitPassed(2));
    }

    @Test
    void tellsOfEveryFailureWhateverItsKind() {
        // Given: what a server answers, as when the WAL of a base backup is gone, is no exception of the node's own
        engine.failure = new UnsupportedOperationException("ERROR XX000: requested WAL segment is gone");

        // When
        source = new Member(new PeerId(N2, 11), 1, MemberKind.DATA, MemberState.VOTER, AT, "", 100, false);
        actions.perform(new Action.Clone(N2, state().epoch(), 2, false), core);
        actions.perform(new Action.StartStandby(), core);
        actions.perform(new Action.Clone(N2, state().epoch() - 1, 2, false), core);

        // Then what an epoch took along with it is no failure
        awaitEvents(3);
        assertThat(events)
                .containsExactly(
                        new Event.ServerFailed("clone from n2: ERROR XX000: requested WAL segment is gone"),
                        new Event.ServerFailed("start as standby: ERROR XX000: requested WAL segment is gone"),
                        new Event.CloneOvertaken());
    }

    @Test
    void tellsThatItHasRewoundOrWhyNotAndFromWhomItCannot() {
        // Given
        Action.Rewind order = new Action.Rewind(N2, 5, 2, new Position(1, new Lsn(100)), new Lsn(90));

        // When
        actions.perform(order, core);
        awaitEvents(1);
        source = new Member(new PeerId(N2, 11), 1, MemberKind.DATA, MemberState.VOTER, AT, "", 100, false);
        actions.perform(order, core);
        awaitEvents(2);
        engine.failure = new UnsupportedOperationException("there is no pg_rewind");
        actions.perform(order, core);

        // Then
        awaitEvents(3);
        assertThat(events)
                .containsExactly(
                        new Event.RewindFailed("n2 is no member", false),
                        new Event.RewindDone(2),
                        new Event.RewindFailed("there is no pg_rewind", false));
        assertThat(engine.calls).containsExactly("rewind", "rewind");
    }

    @Test
    void tellsARewindThatItsEpochWasOverBeforeItBegan() {
        // Given
        source = new Member(new PeerId(N2, 11), 1, MemberKind.DATA, MemberState.VOTER, AT, "", 100, false);
        engine.overtaken = true;
        long now = state().epoch();

        // When
        actions.perform(new Action.Rewind(N2, now, 2, new Position(1, new Lsn(100)), new Lsn(90)), core);
        actions.perform(new Action.Clone(N2, now + 1, 2, false), core);

        // Then
        awaitEvents(2);
        assertThat(events)
                .containsExactly(
                        new Event.RewindFailed("the epoch that this was for is over", true), new Event.CloneDone(2));
        assertThat(engine.wanted).extracting(BooleanSupplier::getAsBoolean).containsExactly(true, false);
    }

    @Test
    void preparesForATimelineThatANodeWillFollowAndForNoneThatItIsOn() {
        // Given: n2 is primary of epoch 1 on timeline 1
        source = new Member(new PeerId(N2, 11), 1, MemberKind.DATA, MemberState.VOTER, AT, "", 100, false);
        fork = new Lsn(150);

        // When
        actions.prepare(new Action.Follow(N2, 1, 2, new Position(1, new Lsn(100))));
        actions.prepare(new Action.Follow(N2, 2, 2, new Position(9, new Lsn(100))));
        actions.prepare(new Action.Follow(N2, 1, 2, new Position(9, new Lsn(149))));

        // Then: neither its own timeline, nor that of an epoch which is not the present one
        await().atMost(SOON).until(() -> !engine.calls.isEmpty());
        assertThat(engine.calls).containsExactly("expect timeline 1 from 0/96");
    }

    @Test
    void preparesForNoTimelineWhoseBeginningIsUnknown() {
        // Given
        source = new Member(new PeerId(N2, 11), 1, MemberKind.DATA, MemberState.VOTER, AT, "", 100, false);

        // When
        actions.prepare(new Action.Follow(N2, 1, 2, new Position(9, new Lsn(200))));
        fork = new Lsn(150);
        actions.prepare(new Action.Follow(N2, 1, 2, new Position(9, new Lsn(200))));

        // Then
        await().atMost(SOON).until(() -> !engine.calls.isEmpty());
        assertThat(engine.calls).containsExactly("expect timeline 1 from 0/96");
    }

    @Test
    void aNewerTimelineEndsThePreparationForTheOneBefore() {
        // Given
        source = new Member(new PeerId(N2, 11), 1, MemberKind.DATA, MemberState.VOTER, AT, "", 100, false);
        fork = new Lsn(150);
        actions.prepare(new Action.Follow(N2, 1, 2, new Position(9, new Lsn(100))));
        await().atMost(SOON).until(() -> engine.wanted.size() == 1);
        assertThat(engine.wanted.getFirst().getAsBoolean()).isTrue();

        // When
        actions.prepare(new Action.Follow(N2, 1, 2, new Position(9, new Lsn(110))));
        await().atMost(SOON).until(() -> engine.wanted.size() == 2);

        // Then
        assertThat(engine.wanted.getFirst().getAsBoolean()).isFalse();
        assertThat(engine.wanted.getLast().getAsBoolean()).isTrue();
        actions.close();
        assertThat(engine.wanted.getLast().getAsBoolean()).isFalse();
    }

    /** The node to clone from alone when there is one, and where its timeline began. */
    private ClusterState state() {
        ClusterState alone = ClusterState.EMPTY;
        Member m = source;
        if (m == null) {
            return alone;
        }
        ClusterState s = new Transitions(new ProtocolRules())
                .apply(alone, new Command.Bootstrap("c", 1, 1, m, 1, Settings.DEFAULT))
                .state();
        return new ClusterState(
                s.clusterId(),
                s.systemIdentifier(),
                s.clusterVersion(),
                s.epoch(),
                s.version(),
                s.primary(),
                s.primaryGeneration(),
                s.timeline(),
                s.releasedEpoch(),
                s.releasedPrimary(),
                s.releasedGeneration(),
                s.rule(),
                s.nextRule(),
                List.of(new EpochRecord(1, N2, 1, 9, fork, Lsn.NONE, false)),
                s.lastTimeline(),
                s.members(),
                s.settings(),
                s.failovers());
    }

    @Test
    void saysThatACheckpointIsWrittenWithoutWaitingForWhatElseIsUnderWay() throws InterruptedException {
        // Given
        engine.blockPromotion = true;
        actions.perform(new Action.PromoteServer(5, 3), core);
        engine.promoting.await();

        // When
        actions.perform(new Action.Checkpoint(7), core);

        // Then
        awaitEvents(2);
        assertThat(events).contains(new Event.CheckpointDone(7));
        assertThat(engine.calls).containsExactly("promote", "checkpoint");
    }

    @Test
    void aCheckpointThatHangsHoldsOneSessionHoweverOftenAnotherIsAskedFor() {
        // Given
        CountDownLatch over = new CountDownLatch(1);
        engine.checkpointOver = over;
        actions.perform(new Action.Checkpoint(1), core);
        await().atMost(SOON).until(() -> engine.calls.contains("checkpoint"));

        // When
        actions.perform(new Action.Checkpoint(2), core);
        actions.perform(new Action.Checkpoint(3), core);
        over.countDown();

        // Then
        awaitEvents(2);
        assertThat(events).containsExactly(new Event.CheckpointDone(1), new Event.CheckpointDone(3));
        assertThat(engine.sessionsMost).isEqualTo(1);
    }

    private void awaitEvents(int count) {
        await().atMost(SOON).until(() -> events.size() >= count);
    }

    private static final class TestingEngine implements EngineControl {
        private final List<String> calls = new CopyOnWriteArrayList<>();
        private final List<BooleanSupplier> wanted = new CopyOnWriteArrayList<>();
        private final CountDownLatch promoting = new CountDownLatch(1);
        private final AtomicInteger sessions = new AtomicInteger();
        private volatile int sessionsMost;
        private volatile CountDownLatch checkpointOver = new CountDownLatch(0);
        private volatile boolean running = true;
        private volatile boolean blockPromotion;
        private volatile boolean probing;
        private volatile boolean overtaken;
        private volatile @Nullable RuntimeException failure;

        @Override
        public int startStandby() {
            calls.add("start standby");
            failIfAsked();
            return 1;
        }

        @Override
        public Primary startPrimary() {
            calls.add("start primary");
            return new Primary(1, 1, Lsn.NONE, new Lsn(100));
        }

        @Override
        public boolean running() {
            boolean now = running;
            if (probing) {
                calls.add("probe asked running");
            }
            return now;
        }

        @Override
        public void stop(boolean immediate) {
            calls.add("stop");
        }

        @Override
        public Primary promote(int timeline) throws InterruptedException {
            calls.add("promote");
            promoting.countDown();
            if (blockPromotion) {
                new CountDownLatch(1).await();
            }
            return new Primary(timeline, 1, new Lsn(90), new Lsn(100));
        }

        @Override
        public Position position() {
            calls.add("position");
            return new Position(1, new Lsn(100));
        }

        @Override
        public Lsn insertPosition() {
            return new Lsn(100);
        }

        @Override
        public void checkpoint() throws InterruptedException {
            sessionsMost = Math.max(sessionsMost, sessions.incrementAndGet());
            calls.add("checkpoint");
            checkpointOver.await();
            sessions.decrementAndGet();
        }

        @Override
        public void expectTimeline(int timeline, Lsn fork, BooleanSupplier stillWanted) {
            wanted.add(stillWanted);
            calls.add("expect timeline %d from %s".formatted(timeline, fork));
        }

        @Override
        public Probed probeCommit() {
            probing = true;
            return Probed.PASSED;
        }

        @Override
        public void cloneFrom(
                Member from, long epoch, long generation, boolean distrusted, BooleanSupplier stillWanted) {
            wanted.add(stillWanted);
            calls.add("clone");
            failIfAsked();
        }

        @Override
        public void rewind(Member from, long epoch, long generation, Position end, Lsn at, BooleanSupplier stillWanted)
                throws Overtaken {
            wanted.add(stillWanted);
            calls.add("rewind");
            if (overtaken) {
                throw new Overtaken("the epoch that this was for is over", new LocalFault("no answer"));
            }
            failIfAsked();
        }

        private void failIfAsked() {
            RuntimeException asked = failure;
            if (asked != null) {
                throw asked;
            }
        }
    }
}
