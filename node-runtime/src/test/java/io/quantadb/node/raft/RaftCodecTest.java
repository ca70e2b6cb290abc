package io.quantadb.node.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class RaftCodecTest {
    private static final PeerId A = new PeerId(new NodeId("node-a"), 123456789L);
    private static final PeerId B = new PeerId(new NodeId("b"), -5);
    private static final Membership MEMBERS = Membership.of(A).after(new MembershipChange.AddLearner(B));

    private static final List<RaftMessage> MESSAGES = List.of(
            new RaftMessage.PreVote(1, 2, 3, 4),
            new RaftMessage.PreVoteReply(5, 6, true, 7),
            new RaftMessage.Vote(8, 9, 10, true),
            new RaftMessage.VoteReply(11, false, 12),
            new RaftMessage.Append(
                    12,
                    13,
                    12,
                    List.of(
                            new LogEntry(14, 12, EntryKind.COMMAND, new byte[] {1, 2, 3}),
                            new LogEntry(15, 12, EntryKind.NOOP, new byte[0]),
                            new LogEntry(16, 12, EntryKind.MEMBERSHIP, MembershipCodec.encode(MEMBERS))),
                    13,
                    -99),
            new RaftMessage.AppendReply(17, true, 18, 19, 20, 21, 22),
            new RaftMessage.Heartbeat(22, 23, 24),
            new RaftMessage.HeartbeatReply(25, 26, -27, 28),
            new RaftMessage.TimeoutNow(28),
            new RaftMessage.Disowned(29, true));

    @Test
    void readsWhatItWrote() {
        for (RaftMessage m : MESSAGES) {
            RaftCodec.Envelope e = new RaftCodec.Envelope(-1, A, B, m);
            assertThat(RaftCodec.decode(RaftCodec.encode(e))).isEqualTo(e);
        }
    }

    @Test
    void carriesTheLargestSnapshotInOneMessage() {
        // Given
        Snapshot s = new Snapshot(7, 3, MEMBERS, new byte[Snapshot.STATE_BYTES_MAX]);

        // When
        byte[] bytes = RaftCodec.encode(new RaftCodec.Envelope(1, A, B, new RaftMessage.InstallSnapshot(4, s, 5)));

        // Then
        assertThat(bytes.length).isLessThanOrEqualTo(RaftCodec.MESSAGE_BYTES_MAX);
        RaftMessage.InstallSnapshot read =
                (RaftMessage.InstallSnapshot) RaftCodec.decode(bytes).message();
        assertThat(read.snapshot().membership()).isEqualTo(MEMBERS);
        assertThat(read.snapshot().state()).hasSize(Snapshot.STATE_BYTES_MAX);
    }

    @Test
    void refusesEveryPrefixAndEveryByteTooMany() {
        for (RaftMessage m : MESSAGES) {
            byte[] bytes = RaftCodec.encode(new RaftCodec.Envelope(1, A, B, m));
            for (int length = 0; length < bytes.length; length++) {
                byte[] cut = Arrays.copyOf(bytes, length);
                assertThatThrownBy(() -> RaftCodec.decode(cut)).isInstanceOf(IllegalArgumentException.class);
            }
            byte[] longer = Arrays.copyOf(bytes, bytes.length + 1);
            assertThatThrownBy(() -> RaftCodec.decode(longer)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void answersGarbageWithARefusalOrAMessageThatItWouldWriteTheSame() {
        RandomGenerator random = new SplittableRandom(1);
        for (int round = 0; round < 20_000; round++) {
            // Given
            RaftMessage m = MESSAGES.get(random.nextInt(MESSAGES.size()));
            byte[] bytes = RaftCodec.encode(new RaftCodec.Envelope(1, A, B, m));
            for (int flips = random.nextInt(4); flips >= 0; flips--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }

            // When
            RaftCodec.Envelope read;
            try {
                read = RaftCodec.decode(bytes);
            } catch (IllegalArgumentException e) {
                continue;
            }

            // Then
            assertThat(RaftCodec.decode(RaftCodec.encode(read))).isEqualTo(read);
        }
    }

    @Test
    void refusesWhatIsLargerThanTheBound() {
        byte[] large = new byte[RaftCodec.MESSAGE_BYTES_MAX + 1];
        assertThatThrownBy(() -> RaftCodec.decode(large)).hasMessageContaining("a message of");
    }
}
