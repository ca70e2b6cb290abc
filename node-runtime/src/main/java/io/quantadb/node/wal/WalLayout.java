package io.quantadb.node.wal;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeException.LocalFault;

/**
 * How the WAL of one data directory is laid out.
 *
 * @param magic what every page of this major version begins with
 * @param segmentBytes size of a segment file, a power of two
 * @param blockBytes size of a page, a power of two
 */
record WalLayout(int magic, int segmentBytes, int blockBytes, long systemIdentifier) {
    static WalLayout of(ControlFile control) {
        int magic = switch (control.majorVersion()) {
            case 15 -> 0xD110;
            case 16 -> 0xD113;
            case 17 -> 0xD116;
            case 18 -> 0xD118;
            default ->
                throw new LocalFault("the data directory has catalog version %d, which no PostgreSQL from 15 to 18 has"
                        .formatted(control.catalogVersion()));
        };
        return new WalLayout(magic, control.walSegmentBytes(), control.walBlockBytes(), control.systemIdentifier());
    }

    long segmentOf(Lsn position) {
        return Long.divideUnsigned(position.value(), segmentBytes);
    }

    Lsn segmentStart(long segment) {
        return new Lsn(segment * segmentBytes);
    }

    int offsetInSegment(Lsn position) {
        return (int) (position.value() & (segmentBytes - 1));
    }

    int offsetInPage(Lsn position) {
        return (int) (position.value() & (blockBytes - 1));
    }

    Lsn pageStart(Lsn position) {
        return new Lsn(position.value() & -(long) blockBytes);
    }

    /** The name that PostgreSQL gives a segment: timeline, then the number in two parts, in hexadecimal. */
    String fileName(int timeline, long segment) {
        long perId = 0x1_0000_0000L / segmentBytes;
        return "%08X%08X%08X"
                .formatted(timeline, Long.divideUnsigned(segment, perId), Long.remainderUnsigned(segment, perId));
    }
}
