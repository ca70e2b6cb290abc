package io.quantadb.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PrivateFilesTest {
    private static final int REMOVERS = 4;

    @TempDir
    Path temp;

    /** As when a demo is ended and purged from two terminals. */
    @Test
    void whatSeveralRemoveAtOnceIsGoneAndNoneOfThemFails() throws Exception {
        // Given
        Path folder = temp.resolve("demo");
        for (int i = 0; i < 300; i++) {
            Files.createDirectories(folder.resolve("node" + i % 10).resolve("data" + i));
            Files.writeString(
                    folder.resolve("node" + i % 10).resolve("data" + i).resolve("file"), "x");
        }
        Path outside = Files.writeString(temp.resolve("outside"), "stays");
        Files.createSymbolicLink(folder.resolve("link"), outside);
        var together = new CyclicBarrier(REMOVERS);

        // When
        List<Future<?>> removals = new ArrayList<>();
        try (var threads = Executors.newFixedThreadPool(REMOVERS)) {
            for (int i = 0; i < REMOVERS; i++) {
                removals.add(threads.submit(() -> {
                    together.await();
                    PrivateFiles.removeTree(folder);
                    return null;
                }));
            }
            for (Future<?> removal : removals) {
                removal.get(60, TimeUnit.SECONDS);
            }
        }

        // Then
        assertThat(folder).doesNotExist();
        assertThat(outside).hasContent("stays");
    }
}
