package io.quantadb.node.wal;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.wal.DivergedWal.Saved;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/** What stands in {@code about.txt} beside WAL that was kept: lines of {@code key=value}, and for people how to look. */
final class About {
    private static final long BYTES_MAX = 64 * 1024;

    private About() {}

    static String text(Saved saved) {
        return """
                # WAL of this node that the cluster left behind, kept by quantadb when the node came back.
                # To see what is in it: pg_waldump -p %s -t %d -s %s
                # To be rid of it: remove this folder.
                at=%s
                timeline=%d
                from=%s
                to=%s
                generation=%d
                segments=%d
                of_segments=%d
                bytes=%d
                """.formatted(
                        saved.folder(),
                        saved.timeline(),
                        saved.from(),
                        saved.at(),
                        saved.timeline(),
                        saved.from(),
                        saved.to(),
                        saved.generation(),
                        saved.segments(),
                        saved.ofSegments(),
                        saved.bytes());
    }

    /** Null for what is no save, or none that this release can read. */
    static @Nullable Saved read(Path folder) {
        Path file = folder.resolve(DivergedWal.ABOUT);
        try {
            if (!Files.isRegularFile(file) || Files.size(file) > BYTES_MAX) {
                return null;
            }
            Properties values = new Properties();
            values.load(new StringReader(Files.readString(file)));
            return new Saved(
                    folder,
                    Instant.parse(values.getProperty("at", "")),
                    Integer.parseInt(values.getProperty("timeline", "")),
                    Lsn.parse(values.getProperty("from", "")),
                    Lsn.parse(values.getProperty("to", "")),
                    Long.parseLong(values.getProperty("generation", "")),
                    Integer.parseInt(values.getProperty("segments", "")),
                    Integer.parseInt(values.getProperty("of_segments", "")),
                    Long.parseLong(values.getProperty("bytes", "")));
        } catch (IOException | DateTimeException | IllegalArgumentException e) {
            return null;
        }
    }
}
