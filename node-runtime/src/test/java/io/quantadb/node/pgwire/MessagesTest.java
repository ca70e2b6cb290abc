package io.quantadb.node.pgwire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeException.ProtocolViolation;
import io.quantadb.node.pgwire.ReplicationMessage.HotStandbyFeedback;
import io.quantadb.node.pgwire.ReplicationMessage.Keepalive;
import io.quantadb.node.pgwire.ReplicationMessage.StandbyStatus;
import io.quantadb.node.pgwire.ReplicationMessage.XLogData;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class MessagesTest {
    private static ByteBuf body(ByteBuf message) {
        return new Frame(message).body();
    }

    @Test
    void readsBackWhatItBuilds() {
        // Given
        ServerReport report = ServerReport.fatal(SqlState.ADMIN_SHUTDOWN, "going away")
                .withDetail("a fence")
                .withHint("connect again")
                .with('R', "SyncRepWaitForLSN");
        List<String> row = Arrays.asList("a", null, "", "ü");

        // When
        ServerReport readReport = ServerReport.parse(body(report.encodeError()));
        List<String> readRow = Messages.parseDataRow(body(Messages.dataRow(row)));

        // Then
        assertThat(readReport).isEqualTo(report);
        assertThat(readReport.routine()).isEqualTo("SyncRepWaitForLSN");
        assertThat(readReport.severity()).isEqualTo("FATAL");
        assertThat(readRow).isEqualTo(row);
        assertThat(Messages.parseRowDescription(body(Messages.rowDescription("x", "y"))))
                .containsExactly("x", "y");
        assertThat(Messages.parseCommandComplete(body(Messages.commandComplete("SELECT 1"))))
                .isEqualTo("SELECT 1");
        assertThat(Messages.parseParameterStatus(body(Messages.parameterStatus("a", "b"))))
                .isEqualTo(new Messages.ParameterStatus("a", "b"));
        assertThat(Messages.parseAuthentication(body(Messages.authenticationOk())))
                .isZero();
        BackendKeyData key = new BackendKeyData(1, new byte[32]);
        assertThat(BackendKeyData.parse(body(key.encode()))).isEqualTo(key);
    }

    static Stream<ReplicationMessage> replication() {
        return Stream.of(
                new Keepalive(Lsn.parse("1/2"), -5, true),
                new StandbyStatus(Lsn.parse("1/3"), Lsn.parse("1/2"), Lsn.parse("FFFFFFFF/FFFFFFF8"), 7, false),
                new HotStandbyFeedback(1, 2, 3, 4, 5),
                new XLogData(Lsn.parse("A/0"), Lsn.parse("A/10"), 9, Unpooled.wrappedBuffer(new byte[] {1, 2, 3})));
    }

    @ParameterizedTest
    @MethodSource("replication")
    void readsBackReplicationMessages(ReplicationMessage message) {
        // When
        ReplicationMessage read = ReplicationMessage.parse(body(message.encode()));

        // Then
        assertThat(read).isEqualTo(message);
        if (read instanceof XLogData wal) {
            assertThat(wal.end()).isEqualTo(Lsn.parse("A/3"));
        }
    }

    static LongStream seeds() {
        return LongStream.range(0, 300);
    }

    @ParameterizedTest(name = "seed={0}")
    @MethodSource("seeds")
    void answersNoiseWithAValueOrAViolation(long seed) {
        // Given
        SplittableRandom random = new SplittableRandom(seed);
        byte[] noise = new byte[random.nextInt(80)];
        random.nextBytes(noise);
        if (noise.length > 0 && random.nextBoolean()) {
            noise[0] = (byte) "wkrh".charAt(random.nextInt(4));
        }
        List<Function<ByteBuf, Object>> readers = List.of(
                ServerReport::parse,
                BackendKeyData::parse,
                ReplicationMessage::parse,
                Messages::parseDataRow,
                Messages::parseRowDescription,
                Messages::parseParameterStatus,
                Messages::parseAuthentication);

        for (Function<ByteBuf, Object> reader : readers) {
            // When
            Object outcome = null;
            Throwable thrown = null;
            try {
                outcome = reader.apply(Unpooled.wrappedBuffer(noise));
            } catch (RuntimeException e) {
                thrown = e;
            }

            // Then
            assertThat(outcome == null).isNotEqualTo(thrown == null);
            assertThat(thrown == null || thrown instanceof ProtocolViolation).isTrue();
        }
    }

    @Test
    void refusesAZeroByteInAString() {
        assertThatThrownBy(() -> Messages.query("a\0b")).isInstanceOf(IllegalArgumentException.class);
    }
}
