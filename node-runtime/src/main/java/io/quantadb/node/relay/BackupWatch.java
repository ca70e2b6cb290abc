package io.quantadb.node.relay;

import io.netty.buffer.ByteBuf;

/**
 * Follows the messages of a server that gives a base backup, without keeping any of them: whether it has begun, and
 * whether all of it was sent. The payloads are skipped over, however the bytes are cut into pieces.
 *
 * <pre>
 *   IDLE --CopyOutResponse--> COPYING --CopyDone--> COPIED --ReadyForQuery--> COMPLETE
 * </pre>
 *
 * <p>Source: PostgreSQL documentation, "Streaming Replication Protocol", BASE_BACKUP. Owned by the relay's loop.
 */
final class BackupWatch {
    private static final byte COPY_OUT = 'H';
    private static final byte COPY_END = 'c';
    private static final int HEADER = 5;

    private enum State {
        IDLE,
        COPYING,
        COPIED,
        COMPLETE
    }

    private State state = State.IDLE;
    private byte tag;
    private int length;
    private int headerRead;
    private long skip;

    /** Reads on without consuming. */
    void feed(ByteBuf bytes) {
        int at = bytes.readerIndex();
        int end = bytes.writerIndex();
        while (at < end) {
            if (skip > 0) {
                int step = (int) Math.min(skip, end - at);
                skip -= step;
                at += step;
            } else {
                header(bytes.getByte(at++));
            }
        }
    }

    private void header(byte next) {
        if (headerRead == 0) {
            tag = next;
            length = 0;
        } else {
            length = (length << 8) | (next & 0xff);
        }
        headerRead++;
        if (headerRead == HEADER) {
            headerRead = 0;
            skip = Math.max(0, Integer.toUnsignedLong(length) - Integer.BYTES);
            onMessage();
        }
    }

    private void onMessage() {
        state = switch (state) {
            case IDLE -> tag == COPY_OUT ? State.COPYING : state;
            case COPYING -> tag == COPY_END ? State.COPIED : state;
            case COPIED -> tag == COPY_OUT ? State.COPYING : tag == WalMessages.READY ? State.COMPLETE : state;
            case COMPLETE -> state;
        };
    }

    boolean begun() {
        return state != State.IDLE;
    }

    boolean complete() {
        return state == State.COMPLETE;
    }
}
