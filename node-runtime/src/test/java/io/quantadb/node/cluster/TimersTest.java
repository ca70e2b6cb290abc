package io.quantadb.node.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import org.junit.jupiter.api.Test;

class TimersTest {
    private static final HostPort AT = new HostPort("localhost", 1);
    private static final Timers TIMERS = new Timers(20, 100, 200, 80);

    private final Transitions transitions = new Transitions(new ProtocolRules());
    private final ClusterState formed = transitions
            .apply(
                    ClusterState.EMPTY,
                    new Command.Bootstrap(
                            "c",
                            42,
                            1,
                            new Member(
                                    new PeerId(new NodeId("n1"), 7),
                                    1,
                                    MemberKind.DATA,
                                    MemberState.VOTER,
                                    new Addresses(AT, AT, AT, AT, AT),
                                    "",
                                    100,
                                    false),
                            1,
                            new Settings(Settings.Mode.QUORUM, Settings.Policy.BLOCK, TIMERS)))
            .state();

    @Test
    void areTheFoundersAndSurviveASnapshot() {
        assertThat(formed.settings().timers()).isEqualTo(TIMERS);
        assertThat(StateCodec.decode(StateCodec.encode(formed)).settings().timers())
                .isEqualTo(TIMERS);
    }

    @Test
    void stayAsTheyAreWhileOtherSettingsChange() {
        // Given a change that was decided before the timers became longer
        Settings decided = formed.settings().withRule(Settings.Mode.ALL, Settings.Policy.SHRINK, 5);
        ClusterState longer = transitions
                .apply(formed, new Command.Retime(Timers.of(20, 400, 800)))
                .state();

        // When
        ClusterState after =
                transitions.apply(longer, new Command.ChangeSettings(decided)).state();

        // Then
        assertThat(after.settings().mode()).isEqualTo(Settings.Mode.ALL);
        assertThat(after.settings().timers()).isEqualTo(Timers.of(20, 400, 800));
    }

    @Test
    void becomeLongerUpToTheirLimitAndNeverShorterThanWhatTheClusterWasFormedWith() {
        assertThat(applies(new Timers(20, 1_000, 2_000, 800))).isTrue();
        assertThat(applies(new Timers(20, 1_001, 2_002, 800))).isFalse();
        assertThat(applies(new Timers(20, 99, 200, 79))).isFalse();
        assertThat(applies(new Timers(30, 400, 800, 320))).isFalse();
    }

    private boolean applies(Timers timers) {
        return transitions.apply(formed, new Command.Retime(timers)).applied();
    }

    @Test
    void readBackWhatTheyWriteAndRefuseALeaseAsLongAsTheMinimumTimeout() {
        assertThat(Timers.parse(TIMERS.text())).isEqualTo(TIMERS);
        assertThatIllegalArgumentException().isThrownBy(() -> Timers.parse("50/300/500/300"));
        assertThatIllegalArgumentException().isThrownBy(() -> Timers.parse("50/300/500"));
        assertThatIllegalArgumentException().isThrownBy(() -> Timers.parse("a/300/500/240"));
    }
}
