package io.quantadb.node.wal;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The name of a segment file, taken apart; {@link WalLayout#fileName} puts it together.
 *
 * @param segment its number, counted from the beginning of all WAL
 */
record SegmentName(int timeline, long segment, Path file) {
    private static final Pattern FORM = Pattern.compile("([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})");

    static Optional<SegmentName> parse(Path file, WalLayout layout) {
        Matcher m = FORM.matcher(String.valueOf(file.getFileName()));
        if (!m.matches()) {
            return Optional.empty();
        }
        long perId = 0x1_0000_0000L / layout.segmentBytes();
        long segment = Long.parseLong(m.group(2), 16) * perId + Long.parseLong(m.group(3), 16);
        return Optional.of(new SegmentName(Integer.parseUnsignedInt(m.group(1), 16), segment, file));
    }

    /** All in this directory, by number and then by timeline. */
    static List<SegmentName> in(Path directory, WalLayout layout) throws IOException {
        List<SegmentName> found = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
            files.forEach(file -> parse(file, layout).ifPresent(found::add));
        }
        found.sort(Comparator.comparingLong(SegmentName::segment).thenComparingInt(SegmentName::timeline));
        return found;
    }
}
