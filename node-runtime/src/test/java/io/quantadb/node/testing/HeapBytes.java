package io.quantadb.node.testing;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/** Damages a stopped server's tables behind its back, as a bad disk would. */
public final class HeapBytes {
    private HeapBytes() {}

    /**
     * Overwrites text in a table's file; page checksums are left as they were.
     *
     * @param relation what {@code pg_relation_filepath} says
     * @param there ASCII, found exactly once
     * @param instead as long as that
     */
    public static void overwrite(Path dataDirectory, String relation, String there, String instead) throws IOException {
        Path file = dataDirectory.resolve(relation);
        String text = Files.readString(file, StandardCharsets.ISO_8859_1);
        int at = text.indexOf(there);
        if (at < 0 || text.indexOf(there, at + 1) >= 0 || there.length() != instead.length()) {
            throw new AssertionError("'%s' is not once in %s, or not as long as '%s'".formatted(there, file, instead));
        }
        try (var channel = Files.newByteChannel(file, StandardOpenOption.WRITE)) {
            channel.position(at);
            channel.write(StandardCharsets.ISO_8859_1.encode(instead));
        }
    }

    /** Gives every page of a stopped server the checksum of what is in it now, so that damage is not noticed. */
    public static void sealChecksums(PostgresBinaries binaries, Path dataDirectory) {
        for (String what : List.of("--disable", "--enable")) {
            OsUser.SERVER.run(List.of(
                    binaries.bin().resolve("pg_checksums").toString(),
                    what,
                    "--no-sync",
                    "-D",
                    dataDirectory.toString()));
        }
    }
}
