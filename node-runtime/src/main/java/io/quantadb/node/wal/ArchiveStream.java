package io.quantadb.node.wal;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.quantadb.node.common.NodeException.ProtocolViolation;
import io.quantadb.node.pgwire.CopyOut;
import io.quantadb.node.pgwire.SqlState;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The archives inside a BASE_BACKUP's COPY stream, one after another, as bytes. One thread.
 *
 * <pre>
 * 'n' archive name\0 tablespace path\0   a new archive begins
 * 'm'                                    the manifest begins
 * 'd' bytes                              of the archive or manifest
 * 'p' int64                              bytes done so far
 * </pre>
 *
 * <p>Source: PostgreSQL documentation, "Streaming Replication Protocol", BASE_BACKUP.
 */
final class ArchiveStream extends InputStream {
    /** What {@link #nextArchive} found. */
    record Archive(String name, String tablespace) {}

    private final CopyOut copy;
    private final Duration stall;
    private final LongConsumer onProgress;
    private ByteBuf data = Unpooled.EMPTY_BUFFER;
    private @Nullable Archive announced;
    private boolean archiveOver = true;
    private boolean copyOver;

    ArchiveStream(CopyOut copy, Duration stall, LongConsumer onProgress) {
        this.copy = copy;
        this.stall = stall;
        this.onProgress = onProgress;
    }

    /** Skips what is left of the archive, and gives the next one, or null at the end of the whole stream. */
    @Nullable
    Archive nextArchive() {
        while (!archiveOver) {
            data = Unpooled.EMPTY_BUFFER;
            advance();
        }
        if (announced == null && !copyOver) {
            advance();
        }
        Archive next = announced;
        announced = null;
        archiveOver = next == null;
        return next;
    }

    @Override
    public int read() {
        return waitForData() ? data.readUnsignedByte() : -1;
    }

    @Override
    public int read(byte[] target, int offset, int length) {
        if (length == 0) {
            return 0;
        }
        if (!waitForData()) {
            return -1;
        }
        int count = Math.min(length, data.readableBytes());
        data.readBytes(target, offset, count);
        return count;
    }

    private boolean waitForData() {
        while (!data.isReadable() && !archiveOver) {
            advance();
        }
        return data.isReadable();
    }

    /** Takes one message, or several of them where they only tell of progress. */
    private void advance() {
        ByteBuf body = copy.next(stall);
        if (body == null) {
            archiveOver = true;
            copyOver = true;
            return;
        }
        if (!body.isReadable()) {
            throw malformed("an empty message");
        }
        char kind = (char) body.readUnsignedByte();
        switch (kind) {
            case 'd' -> data = body;
            case 'p' -> onProgress.accept(progress(body));
            case 'n' -> {
                announced = new Archive(text(body), text(body));
                archiveOver = true;
            }
            case 'm' -> {
                announced = new Archive("manifest", "");
                archiveOver = true;
            }
            default -> throw malformed("message '%c'".formatted(kind));
        }
    }

    private static long progress(ByteBuf body) {
        if (body.readableBytes() != 8) {
            throw malformed("a progress report of %d bytes".formatted(body.readableBytes()));
        }
        return body.readLong();
    }

    private static String text(ByteBuf body) {
        int bytes = body.bytesBefore((byte) 0);
        if (bytes < 0) {
            throw malformed("an archive name without end");
        }
        String text = body.readCharSequence(bytes, StandardCharsets.UTF_8).toString();
        body.skipBytes(1);
        return text;
    }

    private static ProtocolViolation malformed(String what) {
        return new ProtocolViolation(SqlState.PROTOCOL_VIOLATION, "a base backup holds " + what);
    }
}
