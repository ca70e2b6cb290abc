package io.quantadb.node.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class StreamBuffersTest {
    private static final int READ_BYTES = 256 << 10;

    private final PooledByteBufAllocator buffers = Sockets.newStreamBuffers();

    @Test
    void aStreamReadsIntoTheSameMemoryAgainAndAgain() {
        // Given a stream that always holds something
        ByteBuf held = buffers.buffer(100);

        // When it reads far more than a chunk, a buffer after another
        long most = 0;
        for (int i = 0; i < 100; i++) {
            ByteBuf read = buffers.buffer(READ_BYTES);
            most = Math.max(most, buffers.metric().usedDirectMemory());
            read.release();
        }
        held.release();

        // Then
        assertThat(most).isEqualTo(Sockets.CHUNK_BYTES);
    }

    @Test
    void whatABurstNeededIsGivenBack() {
        // Given
        List<ByteBuf> burst = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            burst.add(buffers.buffer(READ_BYTES));
        }
        long atItsHeight = buffers.metric().usedDirectMemory();

        // When
        burst.forEach(ByteBuf::release);

        // Then at most one chunk is kept for what comes next
        assertThat(atItsHeight).isGreaterThanOrEqualTo(40L * READ_BYTES);
        assertThat(buffers.metric().usedDirectMemory()).isLessThanOrEqualTo(Sockets.CHUNK_BYTES);
    }
}
