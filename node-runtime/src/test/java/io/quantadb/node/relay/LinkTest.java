package io.quantadb.node.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** When what was written to a link leaves, and what becomes of it when the link ends. */
final class LinkTest {
    private final EmbeddedChannel channel = new EmbeddedChannel();
    private final List<String> heard = new ArrayList<>();
    private final Link link = new Link(channel, channel.eventLoop(), new TestingOwner());

    @AfterEach
    void close() {
        channel.finishAndReleaseAll();
    }

    @Test
    void bulkLeavesBeforeTheBatchEndsAndTheRestWithIt() {
        // Given / When
        link.write(bytes(100 << 10));
        int small = sent();
        link.write(bytes(100 << 10));
        int large = sent();
        link.write(bytes(10));
        int rest = sent();
        link.flush();

        // Then
        assertThat(small).isZero();
        assertThat(large).isEqualTo(200 << 10);
        assertThat(rest).isZero();
        assertThat(sent()).isEqualTo(10);
    }

    @Test
    void countsAnewAfterEachFlush() {
        // Given
        link.write(bytes(100 << 10));
        link.flush();
        int first = sent();

        // When
        link.write(bytes(100 << 10));

        // Then
        assertThat(first).isEqualTo(100 << 10);
        assertThat(sent()).isZero();
    }

    @Test
    void releasesWhatComesAfterItsEnd() {
        // Given
        ByteBuf late = bytes(200 << 10);
        ByteBuf waiting = bytes(10);
        link.write(waiting);

        // When
        link.close();
        link.write(late);

        // Then its owner, who closed it, hears nothing
        assertThat(waiting.refCnt()).isZero();
        assertThat(late.refCnt()).isZero();
        assertThat(heard).isEmpty();
    }

    private static ByteBuf bytes(int count) {
        return Unpooled.buffer(count).writeZero(count);
    }

    /** Bytes that have left since the last call. */
    private int sent() {
        int count = 0;
        for (ByteBuf out = channel.readOutbound(); out != null; out = channel.readOutbound()) {
            count += out.readableBytes();
            out.release();
        }
        return count;
    }

    private final class TestingOwner implements Link.Owner {
        @Override
        public void onBytes(Link from, ByteBuf bytes) {
            bytes.release();
        }

        @Override
        public void onBatchEnd(Link from) {}

        @Override
        public void onWritable(Link from) {}

        @Override
        public void onClosed(Link from, String reason) {
            heard.add(reason);
        }
    }
}
