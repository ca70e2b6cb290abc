package io.quantadb.node.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whether a base backup was sent whole, however the server's bytes were cut. */
class BackupWatchTest {
    private static ByteBuf message(char tag, int payload) {
        return Unpooled.buffer().writeByte(tag).writeInt(payload + 4).writeZero(payload);
    }

    /** Two commands before, whose answers end like a backup's; then the backup, up to its last message or not. */
    private static ByteBuf conversation(boolean whole) {
        ByteBuf all = Unpooled.buffer();
        for (int i = 0; i < 2; i++) {
            all.writeBytes(message('T', 30)).writeBytes(message('C', 9)).writeBytes(message('Z', 1));
        }
        all.writeBytes(message('T', 30)).writeBytes(message('H', 3));
        // A payload that looks like the end.
        all.writeBytes(message('d', 0).setInt(1, 4 + 12))
                .writeBytes(message('c', 0))
                .writeBytes(message('Z', 1));
        all.writeZero(1);
        all.writeBytes(message('d', 70_000));
        return whole
                ? all.writeBytes(message('c', 0)).writeBytes(message('C', 9)).writeBytes(message('Z', 1))
                : all;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 1_000, 1_000_000})
    void knowsAWholeOneFromOneThatWasCutShort(int piece) {
        for (boolean whole : new boolean[] {true, false}) {
            // Given
            BackupWatch watch = new BackupWatch();
            ByteBuf bytes = conversation(whole);

            // When
            while (bytes.isReadable()) {
                ByteBuf next = bytes.readSlice(Math.min(piece, bytes.readableBytes()));
                watch.feed(next);
                assertThat(next.readerIndex()).isZero();
            }

            // Then
            assertThat(watch.begun()).isTrue();
            assertThat(watch.complete()).isEqualTo(whole);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4, 5, 40})
    void hasNotBegunBeforeTheServerCopies(int commands) {
        // Given
        BackupWatch watch = new BackupWatch();

        // When
        for (int i = 0; i < commands; i++) {
            watch.feed(message('T', i));
            watch.feed(message('Z', 1));
        }

        // Then
        assertThat(watch.begun()).isFalse();
        assertThat(watch.complete()).isFalse();
    }
}
