package io.quantadb.node.wal;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.testing.TestingPostgres;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.stream.Stream;

/** Does to the files of {@code pg_wal} what a crash may do. */
final class TestingWal {
    private TestingWal() {}

    /** Puts a file into pg_wal that PostgreSQL's user may read. */
    static void put(Path data, String name, byte[] content) throws IOException {
        Path file = Files.write(data.resolve("pg_wal").resolve(name), content);
        var owner = TestingPostgres.owner();
        if (owner != null) {
            Files.setAttribute(file, "unix:uid", owner.uid());
            Files.setAttribute(file, "unix:gid", owner.gid());
        }
    }

    /** Zeroes everything at and after {@code position}, in the files of later segments too. */
    static void zeroFrom(Path data, int timeline, Lsn position) throws IOException {
        WalLayout layout = WalLayout.of(ControlFile.read(data));
        for (long segment = layout.segmentOf(position); ; segment++) {
            Path file = data.resolve("pg_wal").resolve(layout.fileName(timeline, segment));
            if (!Files.exists(file)) {
                return;
            }
            int from = segment == layout.segmentOf(position) ? layout.offsetInSegment(position) : 0;
            write(file, from, new byte[layout.segmentBytes() - from]);
        }
    }

    static void write(Path file, int offset, byte[] bytes) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            ByteBuffer buffer = ByteBuffer.wrap(bytes);
            while (buffer.hasRemaining()) {
                channel.write(buffer, offset + (long) buffer.position());
            }
        }
    }

    /** Copies what the reader looks at into another directory. */
    static void copy(Path data, Path target) throws IOException {
        Files.createDirectories(target.resolve("global"));
        Files.createDirectories(target.resolve("pg_wal"));
        Files.copy(data.resolve("global/pg_control"), target.resolve("global/pg_control"));
        try (Stream<Path> files = Files.list(data.resolve("pg_wal"))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, target.resolve("pg_wal").resolve(file.getFileName()));
            }
        }
    }
}
