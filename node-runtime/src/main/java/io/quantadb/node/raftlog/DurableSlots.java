package io.quantadb.node.raftlog;

import io.quantadb.node.common.NodeException.LocalFault;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * A small durable value that is replaced often: a vote, a promise, an incarnation. Two slots are written in turn, one
 * {@code pwrite} and one {@code fdatasync} each, so that the value before survives whatever happens to a write.
 * <pre>
 * file: | slot 0: 9 sectors | slot 1: 9 sectors |     sectors as in {@link Sectors}, numbered from 1 by write
 * </pre>
 * <p>A write that was cut off leaves sectors that are each intact but not of one write: the other slot then holds
 * the value. A sector that is damaged in itself was changed by something else, perhaps in the newest value, so it is
 * a {@link LocalFault} and no older value is handed out in its place.
 *
 * <p>Owned by one thread at a time; {@link #write} returns when the value is durable. After a failed write the object
 * refuses further writes, since what the disk holds is unknown until the file is opened anew.
 */
public final class DurableSlots implements AutoCloseable {
    public static final int VALUE_BYTES_MAX = 4096;
    private static final int SLOT_SECTORS = Sectors.count(VALUE_BYTES_MAX);
    private static final int SLOT_BYTES = SLOT_SECTORS * Sectors.SIZE;

    private final Path file;
    private final FileChannel channel;
    private long sequence;
    private byte @Nullable [] value;
    private long highestSeen;
    private boolean broken;

    private DurableSlots(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /** Opens the file, making an empty one when it is missing; {@link LocalFault} when it is damaged. */
    public static DurableSlots open(Path file) {
        try {
            if (!Files.exists(file)) {
                DiskFiles.createAtomically(file, out -> out.write(ByteBuffer.allocate(2 * SLOT_BYTES)));
            }
            FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
            try {
                DurableSlots slots = new DurableSlots(file, channel);
                slots.load();
                return slots;
            } catch (IOException | RuntimeException e) {
                channel.close();
                throw e;
            }
        } catch (IOException e) {
            throw DiskFiles.fault("cannot open", file, e);
        }
    }

    /** The value last written, or null when none ever was. */
    public byte @Nullable [] read() {
        return value == null ? null : value.clone();
    }

    /** Makes this the value; throws {@link LocalFault} when that cannot be done, and then for good. */
    public void write(byte[] newValue) {
        if (newValue.length > VALUE_BYTES_MAX) {
            throw new IllegalArgumentException(
                    "a value of %d bytes in a slot of %d".formatted(newValue.length, VALUE_BYTES_MAX));
        }
        if (broken) {
            throw new LocalFault("%s failed before and is not written any more: restart this node".formatted(file));
        }
        long next = sequence + 1;
        try {
            // The whole slot is written, so that nothing of the value before the last one remains beside a shorter one.
            ByteBuffer out = ByteBuffer.allocate(SLOT_BYTES);
            Sectors.write(out, next, newValue);
            out.clear();
            DiskFiles.writeFully(channel, out, slotOffset(next));
            channel.force(false);
        } catch (IOException e) {
            broken = true;
            throw DiskFiles.fault("cannot write", file, e);
        }
        sequence = next;
        value = newValue.clone();
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw DiskFiles.fault("cannot close", file, e);
        }
    }

    private static long slotOffset(long sequence) {
        return (sequence & 1) * SLOT_BYTES;
    }

    private void load() throws IOException {
        if (channel.size() != 2L * SLOT_BYTES) {
            throw new LocalFault("%s has %d bytes where %d belong: restore it, or empty this node and let it join anew"
                    .formatted(file, channel.size(), 2 * SLOT_BYTES));
        }
        for (int slot = 0; slot < 2; slot++) {
            ByteBuffer in = ByteBuffer.allocate(SLOT_BYTES);
            DiskFiles.readFully(channel, in, (long) slot * SLOT_BYTES);
            Sectors.Batch batch = readSlot(in.flip(), slot);
            if (batch != null && batch.sequence() > sequence) {
                sequence = batch.sequence();
                value = batch.payload();
            }
        }
        // One write at most can have been cut off; more than that missing was not a crash.
        if (highestSeen > sequence + 1) {
            throw new LocalFault(
                    "%s has lost its value: restore it, or empty this node and let it join anew".formatted(file));
        }
    }

    /** The slot's value, or null when it was never written or its write was cut off. */
    private Sectors.@Nullable Batch readSlot(ByteBuffer in, int slot) {
        for (int i = 0; i < SLOT_SECTORS; i++) {
            Sectors.State state = Sectors.state(in, i * Sectors.SIZE);
            if (state == Sectors.State.INTACT) {
                highestSeen = Math.max(
                        highestSeen, Sectors.header(in, i * Sectors.SIZE).sequence());
            }
            if (state == Sectors.State.DAMAGED) {
                throw new LocalFault("%s is damaged at byte %d: restore it, or empty this node and let it join anew"
                        .formatted(file, slot * SLOT_BYTES + i * Sectors.SIZE));
            }
        }
        Sectors.Batch batch = Sectors.read(in, 0, SLOT_SECTORS);
        if (batch == null) {
            return null;
        }
        byte[] rest = new byte[SLOT_BYTES - batch.sectors() * Sectors.SIZE];
        in.get(batch.sectors() * Sectors.SIZE, rest);
        boolean restIsOld = !Sectors.allZero(rest);
        return restIsOld ? null : batch;
    }
}
