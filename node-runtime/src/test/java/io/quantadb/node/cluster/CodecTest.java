package io.quantadb.node.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class CodecTest {
    private static final HostPort AT = new HostPort("localhost", 1);
    private static final Member FIRST = new Member(
            new PeerId(new NodeId("n1"), 7),
            1,
            MemberKind.DATA,
            MemberState.VOTER,
            new Addresses(AT, AT, AT, AT, AT),
            "a",
            3,
            false);
    private static final int TUNING_BYTES = 5 * 4 + 1;
    private static final int NOBODY_BYTES = 2;
    private static final int NOT_PLACED_BYTES = 2 + 4 + 2;
    private static final Command BOOTSTRAP = new Command.Bootstrap("c", 42, 1, FIRST, 1, Settings.DEFAULT);
    private static final Command PROMOTE = new Command.Promote(
            new Command.Condition(1, 2),
            3,
            new NodeId("n1"),
            1,
            Command.PromoteKind.FROZEN,
            2,
            new Position(1, new Lsn(99)),
            new Rule(new TreeSet<>(List.of(new MemberRef(new NodeId("n2"), 4))), 1),
            5,
            "why");

    @Test
    void readsWhatItWrote() {
        // Given
        ClusterState state = new Transitions(new ProtocolRules())
                .apply(ClusterState.EMPTY, BOOTSTRAP)
                .state();

        // When
        ClusterState again = StateCodec.decode(StateCodec.encode(state));

        // Then
        assertThat(again).isEqualTo(state);
        assertThat(CommandCodec.decode(CommandCodec.encode(PROMOTE, ClusterVersion.NEWEST)))
                .isEqualTo(PROMOTE);
    }

    @ParameterizedTest
    @MethodSource("switchovers")
    void readsWhatIsSaidOfASwitchover(CoordMessage message) {
        assertThat(CoordCodec.decode(CoordCodec.encode(message))).isEqualTo(message);
    }

    static Stream<CoordMessage> switchovers() {
        NodeId n2 = new NodeId("n2");
        return Stream.of(
                new CoordMessage.SwitchoverTold(
                        3,
                        new SwitchoverReport(
                                -7,
                                SwitchoverReport.Phase.ABORTED,
                                new NodeId("n1"),
                                n2,
                                2,
                                "so that",
                                -1,
                                Long.MAX_VALUE)),
                new CoordMessage.SwitchoverTold(
                        3,
                        new SwitchoverReport(
                                7,
                                SwitchoverReport.Phase.DONE,
                                new NodeId("n1"),
                                n2,
                                3,
                                "",
                                143,
                                402,
                                List.of(new SwitchoverReport.Step("hold", 9), new SwitchoverReport.Step("stop", 61)))),
                new CoordMessage.SwitchoverStep(3, 2, 1L << 40, CoordMessage.Step.STOP, n2, 250),
                new CoordMessage.SwitchoverStepDone(3, 2, 1L << 40, CoordMessage.Step.RESUME, 12),
                new CoordMessage.Serves(3, 2),
                new CoordMessage.Pace(3, 12_345_678),
                new CoordMessage.Reads(3, 1L << 40, 8),
                new CoordMessage.RestartServer(3, 2, 1L << 40),
                new CoordMessage.Follows(3, n2, 2, 1L << 40, new Lsn(77), new Lsn(76)),
                new CoordMessage.Follows(3, null, 0, 0, Lsn.NONE, Lsn.NONE));
    }

    @Test
    void readsAnOperatorsRequestAndItsAnswer() {
        List<AdminCodec.Message> messages = List.of(
                new AdminCodec.Question(7, new AdminRequest.RemoveMember(new NodeId("n3"), true)),
                new AdminCodec.Question(
                        8, new AdminRequest.ChangeMode(Settings.Mode.ALL, Settings.Policy.SHRINK, 2_500)),
                new AdminCodec.Question(8, new AdminRequest.ChangeMode(null, Settings.Policy.BLOCK, null)),
                new AdminCodec.Question(8, new AdminRequest.ChangeMode(Settings.Mode.ASYNC, null, 0)),
                new AdminCodec.Question(9, new AdminRequest.Maintain(new NodeId("n2"), false)),
                new AdminCodec.Question(11, new AdminRequest.Pause(Settings.UNTIL_ENDED)),
                new AdminCodec.Question(10, new AdminRequest.Resync(new NodeId("n2"), true)),
                new AdminCodec.Question(
                        10,
                        new AdminRequest.Switchover(new SwitchoverRequest(-7, 2, new NodeId("n2"), 30_000, 250, true))),
                new AdminCodec.Question(
                        11, new AdminRequest.Switchover(new SwitchoverRequest(7, 2, null, 1, 0, false))),
                new AdminCodec.TurnAsked(12),
                new AdminCodec.Turn(12, Long.MIN_VALUE),
                new AdminCodec.InTurn(-1, new AdminCodec.Question(13, new AdminRequest.Pause(0))),
                new AdminCodec.Question(12, new AdminRequest.Tune(-1, 30_000, 0, -1)),
                new AdminCodec.Question(12, new AdminRequest.FenceMember(new NodeId("n2"), true, false)),
                new AdminCodec.Question(13, new AdminRequest.RestartServer(new NodeId("n2"), true)),
                new AdminCodec.Question(14, new AdminRequest.ChangeMinorityReads(Settings.MinorityReads.ALL)),
                new AdminCodec.Question(14, new AdminRequest.SetUpstream(new NodeId("n4"), new NodeId("n2"))),
                new AdminCodec.Question(14, new AdminRequest.SetUpstream(new NodeId("n4"), null)),
                new AdminCodec.Question(15, new AdminRequest.SetPlacement(new NodeId("n4"), 0, "eu/", false, false)),
                new AdminCodec.Question(16, new AdminRequest.SetPlacement(new NodeId("n4"), null, null, true, true)),
                new AdminCodec.Question(14, new AdminRequest.ForceFailover(null, "", true)),
                new AdminCodec.Question(15, new AdminRequest.ForceFailover(new NodeId("n2"), "c", false)),
                new AdminCodec.Answer(8, Action.AdminVerdict.UNCONFIRMED, "what may be lost"),
                new AdminCodec.Answer(7, Action.AdminVerdict.REFUSED, "it is the primary"));

        assertThat(messages)
                .allSatisfy(
                        m -> assertThat(AdminCodec.decode(AdminCodec.encode(m))).isEqualTo(m));
    }

    @Test
    void readsSettingsThatWereWrittenBeforeRulesCouldShrink() {
        // Given
        byte[] change = CommandCodec.encode(new Command.ChangeSettings(Settings.DEFAULT), ClusterVersion.NEWEST);
        byte[] older = new byte[change.length - 4 - 8 - TUNING_BYTES - 1];
        // Format, tag, mode and policy, then what the older format lacks; and at the end what the next ones lack too.
        System.arraycopy(change, 0, older, 0, 4);
        System.arraycopy(change, 8, older, 4, older.length - 4);
        older[0] = 1;

        // When
        Command read = CommandCodec.decode(older);

        // Then
        assertThat(read).isEqualTo(new Command.ChangeSettings(Settings.DEFAULT));
    }

    @Test
    void readsSettingsThatWereWrittenBeforeTheyWereTuned() {
        // Given
        Settings paused = Settings.DEFAULT.withPausedUntil(77);
        byte[] change = CommandCodec.encode(
                new Command.ChangeSettings(
                        paused.withTuning(Tuning.of(paused.timers()).withMoveDelay(1))),
                ClusterVersion.NEWEST);
        byte[] older = java.util.Arrays.copyOf(change, change.length - TUNING_BYTES - 1);
        older[0] = 3;

        // When
        Command read = CommandCodec.decode(older);

        // Then
        assertThat(read).isEqualTo(new Command.ChangeSettings(paused));
    }

    @Test
    void readsHowAClusterIsTuned() {
        // Given
        Tuning tuning = new Tuning(300, 500, 900, 0, false, 100);
        Command retime = new Command.Retime(tuning.timers(50, 600));
        Command change = new Command.ChangeSettings(Settings.DEFAULT.withTuning(tuning));

        // Then
        assertThat(CommandCodec.decode(CommandCodec.encode(retime, ClusterVersion.NEWEST)))
                .isEqualTo(retime);
        assertThat(CommandCodec.decode(CommandCodec.encode(change, ClusterVersion.NEWEST)))
                .isEqualTo(change);
    }

    @Test
    void readsSettingsThatWereWrittenBeforeThereWasMaintenance() {
        // Given
        byte[] change = CommandCodec.encode(
                new Command.ChangeSettings(Settings.DEFAULT.withRule(Settings.Mode.ALL, Settings.Policy.SHRINK, 7)),
                ClusterVersion.NEWEST);
        byte[] older = java.util.Arrays.copyOf(change, change.length - 8 - TUNING_BYTES - 1);
        older[0] = 2;

        // When
        Command read = CommandCodec.decode(older);

        // Then
        assertThat(read)
                .isEqualTo(new Command.ChangeSettings(
                        Settings.DEFAULT.withRule(Settings.Mode.ALL, Settings.Policy.SHRINK, 7)));
        assertThat(Settings.DEFAULT.withPausedUntil(5).withRule(Settings.Mode.ALL, Settings.Policy.BLOCK, 7))
                .isEqualTo(Settings.DEFAULT
                        .withRule(Settings.Mode.ALL, Settings.Policy.BLOCK, 7)
                        .withPausedUntil(5));
    }

    @Test
    void readsMembersThatWereWrittenBeforeTheyCouldBeFenced() {
        // Given
        Command add = new Command.AddMember(FIRST);
        byte[] now = CommandCodec.encode(add, ClusterVersion.NEWEST);
        // Whether it is fenced, and two bytes for nobody to stream from but the primary, and that nothing was set.
        byte[] older = java.util.Arrays.copyOf(now, now.length - 1 - NOBODY_BYTES - NOT_PLACED_BYTES);
        older[0] = 4;
        Command fence = new Command.SetFence(FIRST.peer(), Fence.STOPPED);

        // When
        Command read = CommandCodec.decode(older);

        // Then
        assertThat(read).isEqualTo(add);
        assertThat(CommandCodec.decode(CommandCodec.encode(fence, ClusterVersion.NEWEST)))
                .isEqualTo(fence);
        assertThat(CommandCodec.decode(
                        CommandCodec.encode(new Command.AddMember(FIRST.withFence(Fence.SHUT)), ClusterVersion.NEWEST)))
                .isEqualTo(new Command.AddMember(FIRST.withFence(Fence.SHUT)));
    }

    @Test
    void readsMembersThatWereWrittenBeforeTheyCouldBeFedByOthers() {
        // Given
        Member fenced = FIRST.withFence(Fence.SHUT);
        byte[] now = CommandCodec.encode(new Command.AddMember(fenced), ClusterVersion.NEWEST);
        byte[] older = java.util.Arrays.copyOf(now, now.length - NOBODY_BYTES - NOT_PLACED_BYTES);
        older[0] = 5;
        Command fed = new Command.AddMember(FIRST.withUpstream(new NodeId("n2")));
        Command set = new Command.SetUpstream(FIRST.peer(), new NodeId("n2"));
        Command back = new Command.SetUpstream(FIRST.peer(), null);

        // When
        Command read = CommandCodec.decode(older);

        // Then
        assertThat(read).isEqualTo(new Command.AddMember(fenced));
        assertThat(List.of(fed, set, back))
                .allSatisfy(c -> assertThat(CommandCodec.decode(CommandCodec.encode(c, ClusterVersion.NEWEST)))
                        .isEqualTo(c));
    }

    @Test
    void readsMembersThatWereWrittenBeforeTheyCouldBePlacedByCommand() {
        // Given
        Member fed = FIRST.withUpstream(new NodeId("n2"));
        byte[] now = CommandCodec.encode(new Command.AddMember(fed), ClusterVersion.NEWEST);
        byte[] older = java.util.Arrays.copyOf(now, now.length - NOT_PLACED_BYTES);
        older[0] = 6;
        Command placed = new Command.AddMember(fed.withSet(new Placement(0, "")));
        Command set = new Command.SetPlacement(FIRST.peer(), new Placement(null, "eu/b"));
        Command back = new Command.SetPlacement(FIRST.peer(), Placement.NONE);

        // When
        Command read = CommandCodec.decode(older);

        // Then
        assertThat(read).isEqualTo(new Command.AddMember(fed));
        assertThat(List.of(placed, set, back))
                .allSatisfy(c -> assertThat(CommandCodec.decode(CommandCodec.encode(c, ClusterVersion.NEWEST)))
                        .isEqualTo(c));
    }

    @Test
    void refusesDamagedBytesWithNothingButIllegalArgument() {
        ClusterState state = new Transitions(new ProtocolRules())
                .apply(ClusterState.EMPTY, BOOTSTRAP)
                .state();
        int refused = fuzz(StateCodec.encode(state), StateCodec::decode)
                + fuzz(CommandCodec.encode(PROMOTE, ClusterVersion.NEWEST), CommandCodec::decode)
                + fuzz(CoordCodec.encode(new CoordMessage.LeaseGrant(1, 2, 3, 4)), CoordCodec::decode)
                + fuzz(
                        AdminCodec.encode(
                                new AdminCodec.Question(7, new AdminRequest.RemoveMember(new NodeId("n3"), true))),
                        AdminCodec::decode)
                + switchovers()
                        .mapToInt(m -> fuzz(CoordCodec.encode(m), CoordCodec::decode))
                        .sum();
        assertThat(refused).isPositive();
    }

    private static int fuzz(byte[] good, Function<byte[], ?> decode) {
        var random = new SplittableRandom(1);
        int refused = 0;
        for (int n = 0; n < 20_000; n++) {
            byte[] bytes = java.util.Arrays.copyOf(good, random.nextInt(good.length + 4));
            if (bytes.length > 0) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            try {
                assertThat(decode.apply(bytes)).isNotNull();
            } catch (IllegalArgumentException e) {
                refused++;
            }
        }
        return refused;
    }
}
