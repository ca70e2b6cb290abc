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
    void areNotChangedWhileOtherSettingsAre() {
        // When
        var slower = transitions.apply(
                formed,
                new Command.ChangeSettings(
                        new Settings(Settings.Mode.QUORUM, Settings.Policy.BLOCK, Timers.of(20, 400, 900))));
        var other = transitions.apply(
                formed, new Command.ChangeSettings(new Settings(Settings.Mode.ALL, Settings.Policy.SHRINK, TIMERS)));

        // Then
        assertThat(slower.applied()).isFalse();
        assertThat(slower.state()).isEqualTo(formed);
        assertThat(other.applied()).isTrue();
        assertThat(other.state().settings().mode()).isEqualTo(Settings.Mode.ALL);
    }

    @Test
    void readBackWhatTheyWriteAndRefuseALeaseAsLongAsTheMinimumTimeout() {
        assertThat(Timers.parse(TIMERS.text())).isEqualTo(TIMERS);
        assertThatIllegalArgumentException().isThrownBy(() -> Timers.parse("50/300/500/300"));
        assertThatIllegalArgumentException().isThrownBy(() -> Timers.parse("50/300/500"));
        assertThatIllegalArgumentException().isThrownBy(() -> Timers.parse("a/300/500/240"));
    }
}
