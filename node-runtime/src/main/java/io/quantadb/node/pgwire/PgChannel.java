package io.quantadb.node.pgwire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.quantadb.node.common.NodeException.Indeterminate;
import io.quantadb.node.common.NodeException.ProtocolViolation;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Typed messages over a blocking byte channel, each wait with a deadline that closes the channel when it passes (there is
 * no way back into a protocol stream that stopped midway). One thread reads, any thread sends.
 */
final class PgChannel implements AutoCloseable {
    private static final int READ_BYTES = 64 * 1024;

    private final ByteChannel channel;
    private final int maxFrameBytes;
    private final ReentrantLock sendLock = new ReentrantLock();
    private ByteBuffer input = ByteBuffer.allocate(READ_BYTES).flip();

    PgChannel(ByteChannel channel, int maxFrameBytes) {
        this.channel = channel;
        this.maxFrameBytes = maxFrameBytes;
    }

    /** Writes all of {@code message}; takes it over. */
    @SuppressWarnings("try") // the watchdog is held, not used
    void send(ByteBuf message, Duration deadline) {
        sendLock.lock();
        try (Watchdog.Armed wait = Watchdog.shared().arm(channel, deadline)) {
            ByteBuffer bytes = message.nioBuffer();
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        } catch (IOException e) {
            throw new Indeterminate("the connection to PostgreSQL broke while a message was sent", e);
        } finally {
            sendLock.unlock();
            message.release();
        }
    }

    /** The next message, valid until the next call. */
    Frame receive(Duration deadline) {
        if (input.remaining() >= Frame.HEADER_BYTES && input.remaining() >= wholeBytes()) {
            return take();
        }
        Watchdog.Armed wait = Watchdog.shared().arm(channel, deadline);
        try (wait) {
            fill(Frame.HEADER_BYTES);
            fill(wholeBytes());
            return take();
        } catch (IOException e) {
            String why = wait.expired()
                    ? "PostgreSQL did not answer within %d ms".formatted(deadline.toMillis())
                    : "the connection to PostgreSQL broke before its answer came";
            throw new Indeterminate(why, e);
        }
    }

    private int wholeBytes() {
        int lengthBytes = input.getInt(input.position() + 1);
        char tag = (char) (input.get(input.position()) & 0xff);
        if (!Tag.isPlausible(tag) || lengthBytes < 4 || lengthBytes > maxFrameBytes) {
            close();
            throw new ProtocolViolation(
                    SqlState.PROTOCOL_VIOLATION,
                    "the server sent message type 0x%02x with length %d".formatted((int) tag, lengthBytes));
        }
        return lengthBytes + 1;
    }

    private Frame take() {
        int bytes = wholeBytes();
        Frame frame = new Frame(Unpooled.wrappedBuffer(input.slice(input.position(), bytes)));
        input.position(input.position() + bytes);
        return frame;
    }

    /** Reads until {@code bytes} are there; earlier frames lose their buffer. */
    private void fill(int bytes) throws IOException {
        if (input.capacity() - input.position() < bytes) {
            ByteBuffer roomier = ByteBuffer.allocate(Math.max(READ_BYTES, bytes));
            roomier.put(input).flip();
            input = roomier;
        }
        while (input.remaining() < bytes) {
            int from = input.position();
            int end = input.limit();
            input.limit(input.capacity()).position(end);
            int count = channel.read(input);
            input.limit(input.position()).position(from);
            if (count < 0) {
                throw new IOException("PostgreSQL closed the connection");
            }
        }
    }

    boolean isOpen() {
        return channel.isOpen();
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            // Closed is closed: there is nothing that the caller could do.
            return;
        }
    }
}
