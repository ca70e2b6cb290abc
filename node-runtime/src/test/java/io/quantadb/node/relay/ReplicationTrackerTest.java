package io.quantadb.node.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeException.ProtocolViolation;
import io.quantadb.node.relay.ReplicationTracker.Phase;
import io.quantadb.node.relay.WalMessages.Status;
import org.junit.jupiter.api.Test;

final class ReplicationTrackerTest {
    private static final UnpooledByteBufAllocator HEAP = new UnpooledByteBufAllocator(false);

    static ByteBuf wal(long start, long serverEnd, int bytes) {
        ByteBuf frame = Unpooled.buffer();
        frame.writeByte('d').writeInt(4 + WalMessages.XLOG_HEADER + bytes).writeByte('w');
        return frame.writeLong(start).writeLong(serverEnd).writeLong(0).writeZero(bytes);
    }

    static ByteBuf status(long flushed, long applied) {
        return WalMessages.status(HEAP, new Status(new Lsn(flushed), new Lsn(flushed), new Lsn(applied), false));
    }

    private static ReplicationTracker streaming(long confirmed, long start) {
        ReplicationTracker tracker = new ReplicationTracker(new Lsn(confirmed));
        tracker.onQuery("START_REPLICATION " + new Lsn(start) + " TIMELINE 1");
        tracker.onServer(WalMessages.COPY_BOTH, Unpooled.EMPTY_BUFFER);
        return tracker;
    }

    @Test
    void countsAFlushUpToWhatWasChecked() {
        // Given a receiver that begins at a segment's start below the checked end, and has replayed beyond it
        ReplicationTracker tracker = streaming(150, 100);

        // When it reports more than anybody vouches for
        tracker.onClientCopyData(status(400, 390));

        // Then
        assertThat(tracker.status().flushed()).isEqualTo(new Lsn(150));
        assertThat(tracker.status().applied()).isEqualTo(new Lsn(150));
    }

    @Test
    void countsAFlushUpToWhatThisVeryStreamDelivered() {
        // Given
        ReplicationTracker tracker = streaming(150, 100);
        tracker.onServer(WalMessages.COPY_DATA, wal(100, 500, 100));

        // When
        tracker.onClientCopyData(status(400, 120));

        // Then
        assertThat(tracker.delivered()).isEqualTo(new Lsn(200));
        assertThat(tracker.serverEnd()).isEqualTo(new Lsn(500));
        assertThat(tracker.status().flushed()).isEqualTo(new Lsn(200));
        assertThat(tracker.status().applied()).isEqualTo(new Lsn(120));
    }

    @Test
    void countsNothingBeyondAHoleThatNobodyVouchesFor() {
        // Given a stream that starts beyond what was checked
        ReplicationTracker tracker = streaming(150, 160);
        tracker.onServer(WalMessages.COPY_DATA, wal(160, 500, 100));

        // When
        tracker.onClientCopyData(status(260, 260));

        // Then
        assertThat(tracker.status().flushed()).isEqualTo(new Lsn(150));
    }

    @Test
    void countsNothingThatWasNeitherCheckedNorDelivered() {
        // Given
        ReplicationTracker tracker = streaming(0, 100);

        // When
        tracker.onClientCopyData(status(400, 400));

        // Then
        assertThat(tracker.status().flushed()).isEqualTo(Lsn.NONE);
    }

    @Test
    void closesOverAGapInTheWal() {
        // Given
        ReplicationTracker tracker = streaming(100, 100);
        tracker.onServer(WalMessages.COPY_DATA, wal(100, 500, 10));

        // When / Then
        assertThatThrownBy(() -> tracker.onServer(WalMessages.COPY_DATA, wal(111, 500, 10)))
                .isInstanceOf(ProtocolViolation.class)
                .hasMessageContaining("does not follow on");
    }

    @Test
    void carriesWhatWasFlushedIntoTheNextTimeline() {
        // Given a timeline that ends at 260, all of it flushed
        ReplicationTracker tracker = streaming(100, 100);
        tracker.onServer(WalMessages.COPY_DATA, wal(100, 260, 160));
        tracker.onServer(WalMessages.COPY_DONE, Unpooled.EMPTY_BUFFER);
        tracker.onClientCopyData(status(260, 260));
        tracker.onServer(WalMessages.READY, Unpooled.EMPTY_BUFFER);

        // When the receiver starts on the next one, at its segment's start
        tracker.onQuery("START_REPLICATION 0/FA TIMELINE 2");
        tracker.onServer(WalMessages.COPY_BOTH, Unpooled.EMPTY_BUFFER);
        tracker.onServer(WalMessages.COPY_DATA, wal(250, 300, 5));
        tracker.onClientCopyData(status(300, 300));

        // Then
        assertThat(tracker.status().flushed()).isEqualTo(new Lsn(260));
        assertThat(tracker.start().timeline()).isEqualTo(2);
    }

    @Test
    void refusesFramesOutOfPlace() {
        // Given
        ReplicationTracker idle = new ReplicationTracker(Lsn.NONE);

        // When / Then
        assertThatThrownBy(() -> idle.onClientCopyData(status(1, 1))).isInstanceOf(ProtocolViolation.class);
        assertThatThrownBy(() -> idle.onServer(WalMessages.COPY_BOTH, Unpooled.EMPTY_BUFFER))
                .isInstanceOf(ProtocolViolation.class);
        assertThatThrownBy(() -> idle.onServer(WalMessages.COPY_DATA, wal(1, 1, 1)))
                .isInstanceOf(ProtocolViolation.class);
        idle.onQuery("IDENTIFY_SYSTEM");
        assertThatThrownBy(() -> idle.onQuery("IDENTIFY_SYSTEM")).isInstanceOf(ProtocolViolation.class);
        assertThat(idle.phase()).isEqualTo(Phase.ASKED);
    }
}
