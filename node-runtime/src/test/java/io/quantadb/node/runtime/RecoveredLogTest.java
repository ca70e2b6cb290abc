package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.cluster.Addresses;
import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.ClusterVersion;
import io.quantadb.node.cluster.Command;
import io.quantadb.node.cluster.CommandCodec;
import io.quantadb.node.cluster.LostMajority;
import io.quantadb.node.cluster.Member;
import io.quantadb.node.cluster.MemberKind;
import io.quantadb.node.cluster.MemberState;
import io.quantadb.node.cluster.Position;
import io.quantadb.node.cluster.Rule;
import io.quantadb.node.cluster.Settings;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import io.quantadb.node.raft.EntryKind;
import io.quantadb.node.raft.HardState;
import io.quantadb.node.raft.LogEntry;
import io.quantadb.node.raft.Membership;
import io.quantadb.node.raft.RaftRestored;
import io.quantadb.node.raftlog.RaftStorage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The disk of n2, the second of two members, whose log was never cut. */
class RecoveredLogTest {
    private static final HostPort AT = new HostPort("localhost", 1);
    private static final Position END = new Position(1, new Lsn(0x7000));

    @TempDir
    Path folder;

    private RecoveredLog log;

    @BeforeEach
    void aLogOfTwoMembers() {
        log = new RecoveredLog(folder.resolve("raft"), folder.resolve("raft.recovered"));
        Member first = member("n1", 11);
        RaftStorage.create(
                log.present(),
                new RaftRestored(
                        new HardState(6, null, false),
                        null,
                        List.of(
                                entry(1, new Command.Noop()),
                                entry(2, new Command.Bootstrap("c", 42, 1, first, 1, Settings.DEFAULT)),
                                entry(3, new Command.AddMember(member("n2", 12))))));
    }

    private static LogEntry entry(long index, Command command) {
        return new LogEntry(index, 5, EntryKind.COMMAND, CommandCodec.encode(command, ClusterVersion.NEWEST));
    }

    private static Member member(String node, long incarnation) {
        return new Member(
                new PeerId(new NodeId(node), incarnation),
                3,
                MemberKind.DATA,
                MemberState.VOTER,
                new Addresses(AT, AT, AT, AT, AT),
                "",
                100,
                false);
    }

    private ClusterState recovered() {
        return LostMajority.recovered(log.lastState(), "c~2.00000001", member("n2", 99), END, 7, 1_000);
    }

    @Test
    void theSurvivorIsTheOnlyMemberAndPrimaryOfALaterEpochThatIsNotReleasedYet() {
        // When
        ClusterState state = recovered();

        // Then
        assertThat(state.clusterId()).isEqualTo("c~2.00000001");
        assertThat(state.members().keySet()).containsExactly(new NodeId("n2"));
        assertThat(state.epoch()).as("above the epoch, and the promise").isEqualTo(8);
        assertThat(state.timeline()).isEqualTo(2);
        assertThat(state.lastTimeline()).isEqualTo(2);
        assertThat(state.primary()).isEqualTo(new NodeId("n2"));
        assertThat(state.primaryGeneration()).isEqualTo(3);
        assertThat(state.released()).isFalse();
        assertThat(state.rule()).isEqualTo(Rule.ALONE);
        assertThat(state.nextRule()).isEqualTo(Rule.ALONE);
        assertThat(state.history().getLast().expectedFork()).isEqualTo(END.lsn());
        assertThat(state.failovers().getLast().reason()).isEqualTo(LostMajority.REASON);
        assertThat(state.systemIdentifier()).isEqualTo(42);
    }

    @Test
    void theNewLogIsAGroupOfThatMemberAloneAndTheOldOneIsKept() {
        // Given
        PeerId self = new PeerId(new NodeId("n2"), 99);
        ClusterState state = recovered();

        // When
        log.write(self, state);
        boolean begun = log.begunFor("c~2.00000001");
        log.takePlace();

        // Then
        assertThat(begun).isTrue();
        assertThat(folder.resolve("raft.lost-1")).isDirectory();
        assertThat(log.fresh()).doesNotExist();
        assertThat(log.lastState()).isEqualTo(state);
        try (RaftStorage storage = RaftStorage.open(log.present())) {
            RaftRestored now = storage.restored();
            assertThat(now.hardState()).isEqualTo(new HardState(7, null, false));
            assertThat(Objects.requireNonNull(now.snapshot()).membership()).isEqualTo(Membership.of(self));
            assertThat(now.entries()).isEmpty();
        }
    }

    @Test
    void whatWasBegunAndNotUsedIsThrownAway() {
        // Given
        log.write(new PeerId(new NodeId("n2"), 99), recovered());

        // When
        boolean begun = log.begunFor("c");

        // Then
        assertThat(begun).isFalse();
        assertThat(log.fresh()).doesNotExist();
        assertThat(Files.exists(log.present())).isTrue();
    }
}
