package io.quantadb.node.wal;

import io.quantadb.node.common.Lsn;
import java.nio.ByteBuffer;

/**
 * One page of WAL whose header was checked.
 *
 * <pre>
 *  0 int16 magic   2 int16 flags   4 int32 timeline   8 int64 address   16 int32 rest of a record begun before
 * 24 int64 system identifier, 32 int32 segment size, 36 int32 page size     first page of a segment only
 * </pre>
 *
 * @param bytes the page, little-endian, position 0
 */
record WalPage(ByteBuffer bytes, Lsn address) {
    private static final int FLAG_CONTRECORD = 1;
    private static final int FLAG_LONG = 2;
    private static final int FLAG_OVERWRITE = 8;
    private static final int ALL_FLAGS = 15;

    /** Why the header is not that of the page at {@code address}, or empty when it is. */
    static String fault(ByteBuffer page, Lsn address, WalLayout layout) {
        int flags = Short.toUnsignedInt(page.getShort(2));
        if (Short.toUnsignedInt(page.getShort(0)) != layout.magic()) {
            return "no WAL page begins here";
        }
        if (page.getLong(8) != address.value()) {
            return "the page is a leftover of " + new Lsn(page.getLong(8));
        }
        if ((flags & ~ALL_FLAGS) != 0) {
            return "the page has unknown flags";
        }
        boolean first = layout.offsetInSegment(address) == 0;
        if (first != ((flags & FLAG_LONG) != 0)) {
            return "the page has the wrong kind of header";
        }
        if (first
                && (page.getLong(24) != layout.systemIdentifier()
                        || page.getInt(32) != layout.segmentBytes()
                        || page.getInt(36) != layout.blockBytes())) {
            return "the segment is another cluster's";
        }
        return "";
    }

    int timeline() {
        return bytes.getInt(4);
    }

    boolean beginsWithContinuation() {
        return (bytes.getShort(2) & FLAG_CONTRECORD) != 0;
    }

    /** The record that was to continue here was given up; a new one begins instead. */
    boolean beginsWithOverwrite() {
        return (bytes.getShort(2) & FLAG_OVERWRITE) != 0;
    }

    int continuationBytes() {
        return bytes.getInt(16);
    }

    int headerBytes() {
        return (bytes.getShort(2) & FLAG_LONG) != 0 ? 40 : 24;
    }
}
