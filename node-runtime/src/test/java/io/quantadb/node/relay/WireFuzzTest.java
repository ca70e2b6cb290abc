package io.quantadb.node.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.quantadb.node.cluster.Position;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeException.ProtocolViolation;
import io.quantadb.node.common.NodeId;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever bytes come: frames whole, a protocol violation, or nothing; never another exception, never a leak. */
@Timeout(60)
final class WireFuzzTest {
    private static final UnpooledByteBufAllocator ALLOCATOR = UnpooledByteBufAllocator.DEFAULT;

    @Test
    void cutsTheSameFramesHoweverTheBytesArrive() {
        // Given three frames
        ByteBuf all = Unpooled.buffer();
        append(all, ReplicationTrackerTest.wal(1, 2, 300));
        append(all, ReplicationTrackerTest.status(7, 6));
        append(all, WalMessages.keepalive(ALLOCATOR, new Lsn(9), true));
        FrameCutter cutter = new FrameCutter(ALLOCATOR);
        List<ByteBuf> frames = new ArrayList<>();

        // When they come a byte at a time
        while (all.isReadable()) {
            cutter.feed(Unpooled.buffer(1).writeByte(all.readByte()), (tag, frame) -> frames.add(frame));
        }

        // Then
        assertThat(frames).hasSize(3);
        assertThat(WalMessages.dataEnd(frames.get(0))).isEqualTo(new Lsn(301));
        assertThat(WalMessages.status(frames.get(1)).flushed()).isEqualTo(new Lsn(7));
        assertThat(WalMessages.serverEnd(frames.get(2))).isEqualTo(new Lsn(9));
        frames.forEach(ByteBuf::release);
        cutter.release();
        assertThat(frames).allSatisfy(frame -> assertThat(frame.refCnt()).isZero());
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 0, -1, Integer.MIN_VALUE, FrameCutter.LENGTH_MAX + 1, Integer.MAX_VALUE})
    void refusesALengthOutsideTheLimit(int length) {
        // Given
        FrameCutter cutter = new FrameCutter(ALLOCATOR);
        ByteBuf bytes = Unpooled.buffer().writeByte('d').writeInt(length);

        // When / Then
        assertThatThrownBy(() -> cutter.feed(bytes, (tag, frame) -> frame.release()))
                .isInstanceOf(ProtocolViolation.class);
        cutter.release();
        assertThat(bytes.refCnt()).isZero();
    }

    @ParameterizedTest(name = "seed={0}")
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void survivesAnyBytes(long seed) {
        Random random = new Random(seed);
        int[] judged = new int[1];
        int refused = 0;
        for (int round = 0; round < 500; round++) {
            // Given a stream that begins well and goes wrong somewhere
            ByteBuf bytes = stream(random);
            for (int flips = random.nextInt(4); flips > 0; flips--) {
                bytes.setByte(random.nextInt(bytes.readableBytes()), random.nextInt(256));
            }
            ReplicationTracker tracker = new ReplicationTracker(new Lsn(random.nextInt(1000)));
            FrameCutter cutter = new FrameCutter(ALLOCATOR);
            boolean confused = random.nextInt(8) == 0;

            // When
            try {
                cutter.feed(bytes, (tag, frame) -> {
                    try {
                        judge(tracker, confused, tag, frame);
                        judged[0]++;
                    } finally {
                        frame.release();
                    }
                });
            } catch (ProtocolViolation expected) {
                assertThat(expected.sqlState()).isNotEmpty();
                refused++;
            } catch (RuntimeException other) {
                throw new AssertionError("reproduce with seed=" + seed + " round=" + round, other);
            } finally {
                cutter.release();
            }

            // Then
            assertThat(bytes.refCnt()).isZero();
        }
        // the seeds reach both ends: streams that are understood, and streams that are refused
        assertThat(judged[0]).isGreaterThan(2000);
        assertThat(refused).isBetween(20, 480);
    }

    private static void append(ByteBuf all, ByteBuf frame) {
        all.writeBytes(frame);
        frame.release();
    }

    /** A stream as a receiver and a server make it, with now and then a frame out of turn. */
    private static ByteBuf stream(Random random) {
        ByteBuf bytes = Unpooled.buffer();
        long at = random.nextInt(1000);
        append(bytes, WalMessages.query(ALLOCATOR, "START_REPLICATION " + new Lsn(at) + " TIMELINE 1"));
        append(bytes, copyBoth());
        for (int i = 0; i < 8; i++) {
            int what = random.nextInt(10);
            if (what < 4) {
                int length = random.nextInt(40);
                append(bytes, ReplicationTrackerTest.wal(at, at + random.nextInt(100), length));
                at += length;
            } else if (what < 7) {
                append(bytes, ReplicationTrackerTest.status(random.nextInt(2000), random.nextInt(2000)));
            } else if (what < 9) {
                append(bytes, WalMessages.keepalive(ALLOCATOR, new Lsn(at), random.nextBoolean()));
            } else {
                append(bytes, frame(random));
            }
        }
        return bytes;
    }

    private static ByteBuf copyBoth() {
        return Unpooled.buffer().writeByte('W').writeInt(7).writeZero(3);
    }

    /** A status comes from the receiver and all else from the server, unless the sides are confused. */
    private static void judge(ReplicationTracker tracker, boolean confused, byte tag, ByteBuf frame) {
        boolean client = tag == WalMessages.COPY_DATA && (WalMessages.kind(frame) == 'r') != confused;
        if (tag == WalMessages.QUERY) {
            String text = WalMessages.queryText(frame);
            assertThat(StartCommand.parse(text).isEmpty() || StartCommand.allowed(text))
                    .isTrue();
            tracker.onQuery(text);
        } else if (client) {
            tracker.onClientCopyData(frame);
            assertThat(tracker.status().flushed()).isLessThanOrEqualTo(tracker.cap());
        } else if (tag == WalMessages.ERROR) {
            assertThat(WalMessages.error(frame).toString()).isNotNull();
        } else {
            tracker.onServer(tag, frame);
        }
    }

    private static ByteBuf frame(Random random) {
        return switch (random.nextInt(6)) {
            case 0 -> WalMessages.query(ALLOCATOR, "START_REPLICATION 0/" + random.nextInt(10) + " TIMELINE 1");
            case 1 -> ReplicationTrackerTest.wal(random.nextInt(10), 99, random.nextInt(40));
            case 2 -> ReplicationTrackerTest.status(random.nextInt(2000), random.nextInt(2000));
            case 3 -> WalMessages.error(ALLOCATOR, "58P01", "gone");
            case 4 -> copyBoth();
            default -> WalMessages.keepalive(ALLOCATOR, new Lsn(random.nextLong()), random.nextBoolean());
        };
    }

    @ParameterizedTest(name = "seed={0}")
    @ValueSource(longs = {1, 2, 3, 4})
    void readsBackAStreamHeaderAndNothingElse(long seed) {
        // Given
        Random random = new Random(seed);
        StreamHeader header = new StreamHeader(
                new MemberRef(new NodeId("node-" + seed), random.nextLong()),
                random.nextLong(),
                random.nextLong(),
                new Position(random.nextInt(), new Lsn(random.nextLong())));
        byte[] encoded = header.encode();

        // When / Then
        assertThat(StreamHeader.decode(encoded)).isEqualTo(header);
        for (int round = 0; round < 500; round++) {
            byte[] broken = java.util.Arrays.copyOf(encoded, random.nextInt(encoded.length + 4));
            if (broken.length > 0) {
                broken[random.nextInt(broken.length)] = (byte) random.nextInt(256);
            }
            assertThatCode(() -> {
                        try {
                            assertThat(StreamHeader.decode(broken)).isNotNull();
                        } catch (ProtocolViolation expected) {
                            assertThat(expected.getMessage()).isNotEmpty();
                        }
                    })
                    .as("seed=%d round=%d", seed, round)
                    .doesNotThrowAnyException();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "START_REPLICATION 0/3000000 TIMELINE 1, true, 0/3000000, 1",
        "START_REPLICATION SLOT \"quantadb_b\" 1A/B3000000 TIMELINE 12, true, 1A/B3000000, 12",
        "START_REPLICATION PHYSICAL 0/3000000, true, 0/3000000, 0",
        "IDENTIFY_SYSTEM, true, , 0",
        "TIMELINE_HISTORY 7, true, , 0",
        "START_REPLICATION SLOT \"x\" LOGICAL 0/3000000, false, , 0",
        "BASE_BACKUP, false, , 0",
        "DROP_REPLICATION_SLOT \"x\", false, , 0"
    })
    void letsAMemberAskOnlyWhatAReceiverAsks(String text, boolean allowed, String start, int timeline) {
        assertThat(StartCommand.allowed(text)).isEqualTo(allowed);
        assertThat(StartCommand.parse(text).isPresent()).isEqualTo(start != null);
        if (start != null) {
            StartCommand command = StartCommand.parse(text).orElseThrow();
            assertThat(command.start()).isEqualTo(Lsn.parse(start));
            assertThat(command.timeline()).isEqualTo(timeline);
            assertThat(StartCommand.parse(command.at(new Lsn(77)).text()).orElseThrow())
                    .isEqualTo(command.at(new Lsn(77)));
        }
    }
}
