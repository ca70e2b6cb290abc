package io.quantadb.node.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * What a version looks like on disk. The bytes were written by the first release of that version and are kept: logs of that
 * release are read for ever, and nodes of it have to read what is written for a cluster at that version. A test that fails
 * here wants a new {@link ClusterVersion}, and the old bytes stay.
 */
class WrittenVersionsTest {
    private static final Path KEPT = Path.of("src/test/resources/cluster");
    private static final HexFormat HEX = HexFormat.of();

    private static final PeerId N1 = new PeerId(new NodeId("n1"), 11);
    private static final NodeId N2 = new NodeId("n2");
    private static final Rule RULE = new Rule(new TreeSet<>(List.of(new MemberRef(N2, 4))), 1);
    private static final Command.Condition ON = new Command.Condition(1, 2);

    private static final Settings SETTINGS = new Settings(
            Settings.Mode.ALL,
            Settings.Policy.SHRINK,
            10_001,
            50,
            300,
            500,
            240,
            77,
            new Tuning(300, 500, 3_000, 10_002, true, 10_003),
            Settings.MinorityReads.REPLICAS);
    /** Written by their place, so each name has to stay where it is. */
    private static final List<Class<? extends Enum<?>>> ENUMS = List.of(
            MemberKind.class,
            MemberState.class,
            Fence.class,
            Settings.Mode.class,
            Settings.Policy.class,
            Settings.MinorityReads.class,
            Command.PromoteKind.class);

    private static Addresses addresses() {
        return new Addresses(at(1), at(2), at(3), at(4), at(5));
    }

    private static HostPort at(int port) {
        return new HostPort("db", port);
    }

    private static Map<String, Command> commands() {
        Member member = new Member(N1, 3, MemberKind.DATA, MemberState.VOTER, addresses(), "eu/a", 7, false)
                .withFence(Fence.SHUT)
                .withUpstream(N2)
                .withSet(new Placement(9, null));
        Position from = new Position(1, new Lsn(99));
        Map<String, Command> all = new LinkedHashMap<>();
        all.put("noop", new Command.Noop());
        all.put("bootstrap", new Command.Bootstrap("c", 42, 7, member, 1, SETTINGS));
        all.put("add", new Command.AddMember(member));
        all.put("update", new Command.UpdateMember(N1, addresses(), "b", 8));
        all.put("maintenance", new Command.SetMaintenance(N1, true));
        all.put("state", new Command.SetMemberState(N1, MemberState.LEAVING));
        all.put("generation", new Command.SetGeneration(N1, 5));
        all.put("remove", new Command.RemoveMember(N1));
        all.put("joint", new Command.Joint(ON, RULE));
        all.put("replace", new Command.Replace(ON, RULE));
        all.put("withdraw", new Command.Withdraw(ON));
        all.put("finish", new Command.Finish(ON));
        all.put("promote", new Command.Promote(ON, 3, N2, 1, Command.PromoteKind.FROZEN, 2, from, RULE, 5, "why"));
        all.put("release", new Command.Release(ON, 1, new Lsn(98)));
        all.put("settings", new Command.ChangeSettings(SETTINGS));
        all.put("version", new Command.SetClusterVersion(8, Set.of(N1, new PeerId(N2, 12))));
        all.put("timers", new Command.Retime(new Timers(51, 301, 501, 241)));
        all.put("fence", new Command.SetFence(N1, Fence.STOPPED));
        all.put("upstream", new Command.SetUpstream(N1, null));
        all.put("placement", new Command.SetPlacement(N1, new Placement(null, "b")));
        return all;
    }

    /** Something of everything that a state may hold. */
    private static ClusterState state(int version) {
        Command formed = commands().getOrDefault("bootstrap", new Command.Noop());
        ClusterState state = new Transitions(new ProtocolRules())
                .apply(ClusterState.EMPTY, formed)
                .state();
        Draft draft = new Draft(state)
                .clusterVersion(version)
                .rule(RULE)
                .next(new Rule(new TreeSet<>(List.of(new MemberRef(N2, 5))), 1))
                .member(new Member(
                        new PeerId(N2, 12), 4, MemberKind.WITNESS, MemberState.CAUGHT_UP, addresses(), "", 100, true));
        draft.history = List.of(
                new EpochRecord(1, N1.node(), 1, 0, Lsn.NONE, Lsn.NONE, true),
                new EpochRecord(2, N2, 2, 1, new Lsn(70), new Lsn(71), false));
        draft.failovers = List.of(
                new FailoverRecord(5, null, N2, 2, "why"), new FailoverRecord(6, N1.node(), N2, 3, "switchover"));
        return draft.done();
    }

    private static String names(Class<? extends Enum<?>> type) {
        return Arrays.stream(type.getEnumConstants()).map(Enum::name).collect(Collectors.joining(","));
    }

    /** A version that is new, when {@code quantadb.docs.write} asks for it; one that is kept is never written again. */
    private static void begin(int version, Map<String, String> now) throws IOException {
        Path file = file(version);
        if (Boolean.getBoolean("quantadb.docs.write") && !Files.exists(file)) {
            StringBuilder text = new StringBuilder("# Kept as the first release of this version wrote it.\n");
            now.forEach(
                    (name, value) -> text.append(name).append(' ').append(value).append('\n'));
            Files.createDirectories(KEPT);
            Files.writeString(file, text);
        }
    }

    private static Path file(int version) {
        return KEPT.resolve("version-%d.txt".formatted(version));
    }

    private static Map<String, String> kept(int version) throws IOException {
        Map<String, String> kept = new LinkedHashMap<>();
        for (String line : Files.readAllLines(file(version), StandardCharsets.UTF_8)) {
            int space = line.indexOf(' ');
            if (!line.startsWith("#") && space > 0) {
                kept.put(line.substring(0, space), line.substring(space + 1));
            }
        }
        return kept;
    }

    @Test
    void everyVersionIsWrittenAsItsFirstReleaseWroteIt() throws IOException {
        for (int version = ClusterVersion.OLDEST; version <= ClusterVersion.NEWEST; version++) {
            // When
            Map<String, String> now = new LinkedHashMap<>();
            for (Map.Entry<String, Command> one : commands().entrySet()) {
                now.put(one.getKey(), HEX.formatHex(CommandCodec.encode(one.getValue(), version)));
            }
            for (Class<? extends Enum<?>> type : ENUMS) {
                now.put(type.getSimpleName(), names(type));
            }
            now.put("snapshot", HEX.formatHex(StateCodec.encode(state(version))));

            // Then
            begin(version, now);
            assertThat(now).isEqualTo(kept(version));
        }
    }

    @Test
    void everyVersionIsReadAsItWasMeant() throws IOException {
        for (int version = ClusterVersion.OLDEST; version <= ClusterVersion.NEWEST; version++) {
            // Given
            Map<String, String> kept = kept(version);

            // When, then
            assertThat(StateCodec.decode(HEX.parseHex(kept.getOrDefault("snapshot", ""))))
                    .isEqualTo(state(version));
            for (Map.Entry<String, Command> one : commands().entrySet()) {
                assertThat(CommandCodec.decode(HEX.parseHex(kept.getOrDefault(one.getKey(), ""))))
                        .isEqualTo(one.getValue());
            }
        }
    }

    @Test
    void everyCommandIsKept() {
        assertThat(commands().values().stream().map(Object::getClass).toList())
                .hasSameSizeAs(List.of(Command.class.getPermittedSubclasses()))
                .doesNotHaveDuplicates();
    }
}
