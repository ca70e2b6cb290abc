package io.quantadb.node.wal;

import io.quantadb.node.common.Lsn;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Reads and checks one WAL record after another, without keeping their contents.
 *
 * <pre>
 * | int32 total length | int32 xid | int64 previous record | int8 info | int8 rmgr | 2 | int32 crc | data |
 * </pre>
 *
 * <p>Records begin at multiples of eight; what does not fit on a page goes on after the header of the next. The checksum
 * (CRC-32C) covers the data and then the first 20 bytes. A record counts only when each page that it lies on is the page
 * of that address, its continuation lengths add up, it points back at the record before it, and its checksum is right.
 *
 * <p>One thread. Source: PostgreSQL documentation, "WAL Internals".
 */
final class RecordReader {
    private static final int HEADER_BYTES = 24;
    private static final int CRC_OFFSET = 20;
    /** PostgreSQL's XLogRecordMaxSize. */
    private static final int MAX_RECORD_BYTES = 1020 << 20;

    private static final int RMGR_XLOG = 0;
    private static final int INFO_SWITCH = 0x40;

    /** What is at a position. */
    sealed interface Outcome {}

    /** A valid record; {@code next} is where the following one begins (or the start of the page it begins on). */
    record Valid(Lsn start, Lsn dataEnd, Lsn next) implements Outcome {}

    /** A record that was given up when the server restarted; the next one begins on the page at {@code page}. */
    record Overwritten(Lsn page) implements Outcome {}

    /** No valid record; {@code where} is the page or record at which that showed. */
    record Invalid(Lsn where, String reason) implements Outcome {}

    private final WalSegments segments;
    private final WalLayout layout;
    private final Lineage lineage;
    private final ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private String pageFault = "";
    private @Nullable WalPage latestPage;
    private int latestPreferred;

    RecordReader(WalSegments segments, WalLayout layout, Lineage lineage) {
        this.segments = segments;
        this.layout = layout;
        this.lineage = lineage;
    }

    /**
     * Reads the record at {@code position} (a page start means the first record of that page).
     *
     * @param previous the record before it, or null when that is not known
     */
    Outcome read(Lsn position, @Nullable Lsn previous) {
        Outcome first = null;
        for (int timeline : lineage.candidates(position, layout.segmentOf(position))) {
            Outcome outcome = read(position, previous, timeline);
            if (!(outcome instanceof Invalid)) {
                return outcome;
            }
            first = first == null ? outcome : first;
        }
        return first == null ? new Invalid(position, "no timeline owns this position") : first;
    }

    private Outcome read(Lsn position, @Nullable Lsn previous, int timeline) {
        WalPage page = page(position, timeline);
        if (page == null) {
            return new Invalid(layout.pageStart(position), pageFault);
        }
        Lsn start = position;
        if (layout.offsetInPage(position) == 0) {
            start = position.plus(page.headerBytes());
            if (page.beginsWithContinuation()) {
                return new Invalid(position, "the page begins amid a record");
            }
        } else if (layout.offsetInPage(position) < page.headerBytes()) {
            return new Invalid(position, "the position lies in a page header");
        }
        int totalBytes = page.bytes().getInt(layout.offsetInPage(start));
        if (totalBytes < HEADER_BYTES || totalBytes > MAX_RECORD_BYTES) {
            return new Invalid(
                    start, totalBytes == 0 ? "nothing was written here" : "the record's length is impossible");
        }
        return readBody(page, start, totalBytes, previous, timeline);
    }

    private Outcome readBody(WalPage firstPage, Lsn start, int totalBytes, @Nullable Lsn previous, int timeline) {
        WalPage page = firstPage;
        Lsn at = start;
        int left = totalBytes;
        CRC32C crc = new CRC32C();
        header.clear();
        while (true) {
            int offset = layout.offsetInPage(at);
            int piece = Math.min(left, layout.blockBytes() - offset);
            take(page.bytes(), offset, piece, crc);
            left -= piece;
            if (!header.hasRemaining() && !pointsBack(start, previous)) {
                return new Invalid(start, "the record does not follow the one before it");
            }
            if (left == 0) {
                return finish(start, at.plus(piece), crc);
            }
            Lsn next = page.address().plus(layout.blockBytes());
            WalPage following = page(next, timeline);
            if (following == null) {
                return new Invalid(next, pageFault);
            }
            if (following.beginsWithOverwrite()) {
                return new Overwritten(next);
            }
            if (!following.beginsWithContinuation() || following.continuationBytes() != left) {
                return new Invalid(next, "the rest of a record is missing");
            }
            page = following;
            at = next.plus(following.headerBytes());
        }
    }

    private void take(ByteBuffer page, int offset, int bytes, CRC32C crc) {
        int forHeader = Math.min(bytes, header.remaining());
        header.put(page.slice(offset, forHeader));
        crc.update(page.slice(offset + forHeader, bytes - forHeader));
    }

    private boolean pointsBack(Lsn start, @Nullable Lsn previous) {
        Lsn said = new Lsn(header.getLong(8));
        return previous == null ? said.compareTo(start) < 0 : said.equals(previous);
    }

    private Outcome finish(Lsn start, Lsn dataEnd, CRC32C crc) {
        crc.update(header.slice(0, CRC_OFFSET));
        if ((int) crc.getValue() != header.getInt(CRC_OFFSET)) {
            return new Invalid(layout.pageStart(dataEnd.plus(-1)), "the record's checksum is wrong");
        }
        Lsn next = new Lsn((dataEnd.value() + 7) & -8L);
        boolean endsSegment = header.get(17) == RMGR_XLOG && (header.get(16) & 0xf0) == INFO_SWITCH;
        if (endsSegment && layout.offsetInSegment(next) != 0) {
            next = layout.segmentStart(layout.segmentOf(next) + 1);
        }
        return new Valid(start, dataEnd, next);
    }

    /** The checked page that holds {@code position}, or null with {@link #pageFault} set. */
    private @Nullable WalPage page(Lsn position, int preferred) {
        Lsn address = layout.pageStart(position);
        WalPage latest = latestPage;
        if (latest != null && preferred == latestPreferred && latest.address().equals(address)) {
            return latest;
        }
        latestPage = load(address, preferred);
        latestPreferred = preferred;
        return latestPage;
    }

    private @Nullable WalPage load(Lsn address, int preferred) {
        pageFault = "there is no segment file";
        ByteBuffer bytes = segments.page(preferred, address);
        if (bytes == null && !segments.exists(preferred, layout.segmentOf(address))) {
            for (int timeline : lineage.candidates(address, layout.segmentOf(address))) {
                bytes = bytes == null ? segments.page(timeline, address) : bytes;
            }
        }
        if (bytes == null) {
            if (segments.exists(preferred, layout.segmentOf(address))) {
                pageFault = "the segment file is too short";
            }
            return null;
        }
        pageFault = WalPage.fault(bytes, address, layout);
        WalPage page = new WalPage(bytes, address);
        if (pageFault.isEmpty() && !lineage.mayBear(address, page.timeline())) {
            pageFault = "the page is of timeline %d".formatted(page.timeline());
        }
        return pageFault.isEmpty() ? page : null;
    }

    /** True when the first page of a segment is what it should be: then all segments before it were once complete. */
    boolean hasBegun(long segment) {
        Lsn address = layout.segmentStart(segment);
        return lineage.candidates(address, segment).stream()
                .filter(timeline -> segments.exists(timeline, segment))
                .anyMatch(timeline -> page(address, timeline) != null);
    }
}
