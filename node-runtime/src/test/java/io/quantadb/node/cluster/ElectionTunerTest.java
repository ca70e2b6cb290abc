package io.quantadb.node.cluster;

import static io.quantadb.node.cluster.TestingStates.N1;
import static io.quantadb.node.cluster.TestingStates.N2;
import static io.quantadb.node.cluster.TestingStates.N3;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** n1 leads a cluster that was formed with 300 to 500 ms. */
class ElectionTunerTest {
    private static final long MS = 1_000_000L;

    private final Context ctx = leader();
    private final ElectionTuner tuner = new ElectionTuner(ctx);

    private static Context leader() {
        Context ctx = new Context(TestingStates.peer(N1), new ProtocolRules(), 1, 0, 1_000_000_000L);
        ctx.state = TestingStates.three();
        ctx.leader = true;
        ctx.ownTermApplied = true;
        ctx.term = 2;
        return ctx;
    }

    @Test
    void leavesTheTimersAloneWhileNothingNearsAThirdOfThem() {
        // When
        tuner.onPaced(new Event.Paced(20 * MS, Map.of(N2, 90 * MS, N3, MS)));
        tuner.onTick();

        // Then
        assertThat(retimed()).isNull();
    }

    @Test
    void raisesThemAtOnceWhenAnAnswerTakesLongAndTheLeaseFollows() {
        // When
        tuner.onPaced(new Event.Paced(MS, Map.of(N2, 200 * MS, N3, MS)));
        tuner.onTick();
        Timers timers = retimed();
        tuner.onTick();

        // Then
        assertThat(timers).isEqualTo(new Timers(50, 800, 1_333, 640));
        assertThat(retimed()).as("asked for once").isNull();
    }

    @Test
    void raisesThemWhenTheTicksOfAnyMemberComeLate() {
        // When
        tuner.onPace(N3, new CoordMessage.Pace(2, 100 * MS));
        tuner.onTick();

        // Then
        assertThat(retimed()).isEqualTo(Timers.of(50, 400, 666));
    }

    @Test
    void asksAgainWhenTheChangeWasLost() {
        // Given
        tuner.onPaced(new Event.Paced(100 * MS, Map.of()));
        tuner.onTick();
        Timers first = retimed();

        // When
        ctx.now += 2_500 * MS;
        tuner.onTick();

        // Then
        assertThat(retimed()).isEqualTo(first).isNotNull();
    }

    @Test
    void neverRaisesThemBeyondTheirLimit() {
        // When
        tuner.onPaced(new Event.Paced(60_000 * MS, Map.of()));
        tuner.onTick();

        // Then
        assertThat(retimed()).isEqualTo(Timers.of(50, 3_000, 5_000));
    }

    @Test
    void neverRaisesThemWhereTheLimitIsWhatWasChosen() {
        // Given
        Settings s = ctx.state.settings();
        ctx.state = new Draft(ctx.state)
                .settings(s.withTuning(s.tuning().withElectionLimit(300)))
                .done();

        // When
        tuner.onPaced(new Event.Paced(60_000 * MS, Map.of()));
        tuner.onTick();

        // Then
        assertThat(retimed()).isNull();
    }

    @Test
    void countsNothingThatIsNotToldAnyMore() {
        // Given
        tuner.onPaced(new Event.Paced(MS, Map.of(N2, 500 * MS)));

        // When
        ctx.now += 6_000 * MS;
        tuner.onPaced(new Event.Paced(MS, Map.of(N3, MS)));
        tuner.onTick();

        // Then
        assertThat(retimed()).isNull();
    }

    @Test
    void lowersThemStepByStepAfterAMinuteWithoutNeedAndNoFurtherThanTheyWereChosen() {
        // Given
        runWith(Timers.of(50, 800, 1_333));
        tuner.clear();

        // When
        Timers soon = after(59_000);
        Timers first = after(2_000);
        runWith(first == null ? Settings.DEFAULT.timers() : first);
        Timers tooSoon = after(50_000);
        Timers second = after(12_000);
        runWith(Timers.of(50, 350, 583));
        Timers last = after(70_000);

        // Then
        assertThat(soon).isNull();
        assertThat(first).isEqualTo(Timers.of(50, 600, 1_000));
        assertThat(tooSoon).isNull();
        assertThat(second).isEqualTo(Timers.of(50, 450, 750));
        assertThat(last).isEqualTo(Settings.DEFAULT.timers());
    }

    @Test
    void keepsThemLongWhileThatIsNeeded() {
        // Given
        runWith(Timers.of(50, 800, 1_333));
        tuner.clear();

        // When
        boolean lowered = false;
        for (int s = 0; s < 200; s++) {
            ctx.now += 1_000 * MS;
            tuner.onPaced(new Event.Paced(MS, Map.of(N2, 180 * MS)));
            tuner.onTick();
            lowered |= retimed() != null;
        }

        // Then
        assertThat(lowered).isFalse();
    }

    private void runWith(Timers timers) {
        ctx.state = new Draft(ctx.state)
                .settings(ctx.state.settings().withTimers(timers))
                .done();
    }

    /** Time passes and all is quick. */
    private @Nullable Timers after(int millis) {
        Timers last = null;
        for (int ms = 0; ms < millis; ms += 1_000) {
            ctx.now += 1_000 * MS;
            tuner.onPaced(new Event.Paced(MS, Map.of(N2, MS, N3, MS)));
            tuner.onTick();
            Timers next = retimed();
            last = next == null ? last : next;
        }
        return last;
    }

    private @Nullable Timers retimed() {
        List<Timers> asked = ctx.drain().stream()
                .filter(Action.Propose.class::isInstance)
                .map(a -> ((Action.Propose) a).command())
                .filter(Command.Retime.class::isInstance)
                .map(c -> ((Command.Retime) c).timers())
                .toList();
        return asked.isEmpty() ? null : asked.getLast();
    }
}
