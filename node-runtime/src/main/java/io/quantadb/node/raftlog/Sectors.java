package io.quantadb.node.raftlog;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Bytes that are written in one go, cut into sectors that each prove themselves. A disk writes a sector of 512 bytes
 * as a whole or not at all; so after a crash each sector of an unfinished write is either as it was before or as it
 * was meant, and a sector that is neither was damaged. That difference is what lets a reader cut a torn tail without
 * ever mistaking a flipped bit for one.
 * <pre>
 * sector: | int32 crc32c of the rest | int32 magic+version | int64 sequence | int32 part | int32 parts |
 *         | int16 used 0..484 | int16 zero | payload, zero padded |                      512 bytes, big-endian
 * batch:  parts 0..n-1 one after another, all of one sequence
 * </pre>
 */
final class Sectors {
    static final int SIZE = 512;
    static final int HEADER = 28;
    static final int PAYLOAD = SIZE - HEADER;
    private static final int MAGIC = 0x51_52_4C_01; // "QRL", version 1

    enum State {
        /** Never written. */
        ZERO,
        INTACT,
        /** Neither: changed by something that was not this program. */
        DAMAGED
    }

    /** One complete write. */
    record Batch(long sequence, int sectors, byte[] payload) {}

    /** The header of an intact sector. */
    record Header(long sequence, int part, int parts, int used) {}

    private Sectors() {}

    /** How many sectors a payload of this size takes; an empty one takes one. */
    static int count(int payloadBytes) {
        return Math.max(1, (payloadBytes + PAYLOAD - 1) / PAYLOAD);
    }

    /** Writes a batch at the buffer's position, which moves past its last sector. */
    static void write(ByteBuffer out, long sequence, byte[] payload) {
        int parts = count(payload.length);
        for (int part = 0; part < parts; part++) {
            int start = out.position();
            int from = part * PAYLOAD;
            int used = Math.min(PAYLOAD, payload.length - from);
            out.putInt(start + 4, MAGIC);
            out.putLong(start + 8, sequence);
            out.putInt(start + 16, part);
            out.putInt(start + 20, parts);
            out.putShort(start + 24, (short) used);
            out.putShort(start + 26, (short) 0);
            out.position(start + HEADER).put(payload, from, used);
            while (out.position() < start + SIZE) {
                out.put((byte) 0);
            }
            out.putInt(start, crc(out, start));
        }
    }

    static State state(ByteBuffer in, int offset) {
        if (in.getInt(offset + 4) == MAGIC && in.getInt(offset) == crc(in, offset) && plausible(header(in, offset))) {
            return State.INTACT;
        }
        for (int i = 0; i < SIZE; i += Long.BYTES) {
            if (in.getLong(offset + i) != 0) {
                return State.DAMAGED;
            }
        }
        return State.ZERO;
    }

    static Header header(ByteBuffer in, int offset) {
        return new Header(
                in.getLong(offset + 8), in.getInt(offset + 16), in.getInt(offset + 20), in.getShort(offset + 24));
    }

    /** The complete batch that begins at the offset, or null when there is none within that many sectors. */
    static @Nullable Batch read(ByteBuffer in, int offset, int sectorsMax) {
        if (sectorsMax < 1 || state(in, offset) != State.INTACT) {
            return null;
        }
        Header first = header(in, offset);
        if (first.part() != 0 || first.parts() > sectorsMax) {
            return null;
        }
        ByteBuffer payload = ByteBuffer.allocate(first.parts() * PAYLOAD);
        for (int part = 0; part < first.parts(); part++) {
            int at = offset + part * SIZE;
            if (state(in, at) != State.INTACT) {
                return null;
            }
            Header h = header(in, at);
            if (h.sequence() != first.sequence() || h.part() != part || h.parts() != first.parts()) {
                return null;
            }
            payload.put(in.array(), in.arrayOffset() + at + HEADER, h.used());
        }
        byte[] bytes = new byte[payload.position()];
        payload.flip().get(bytes);
        return new Batch(first.sequence(), first.parts(), bytes);
    }

    static boolean allZero(byte[] bytes) {
        for (byte b : bytes) {
            if (b != 0) {
                return false;
            }
        }
        return true;
    }

    private static boolean plausible(Header h) {
        return h.sequence() > 0 && h.part() >= 0 && h.part() < h.parts() && h.used() >= 0 && h.used() <= PAYLOAD;
    }

    private static int crc(ByteBuffer buffer, int offset) {
        CRC32C crc = new CRC32C();
        crc.update(buffer.array(), buffer.arrayOffset() + offset + 4, SIZE - 4);
        return (int) crc.getValue();
    }
}
