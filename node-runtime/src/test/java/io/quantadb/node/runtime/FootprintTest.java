package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.raftlog.DirectoryLock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FootprintTest {
    @TempDir
    private Path folder;

    @Test
    void aStartThatCameToNothingLeavesNoEmptyFolderBehind() throws IOException {
        // Given
        Path data = folder.resolve("data");
        Path sockets = data.resolve("run").resolve("pg");
        try (Footprint footprint = Footprint.before(List.of(data, data.resolve("run"), sockets))) {
            // When
            Files.createDirectories(sockets);
            DirectoryLock.acquire(data).close();
            assertThat(footprint).isNotNull();
        }

        // Then
        assertThat(data).doesNotExist();
    }

    @Test
    void whatWasThereBeforeOrHoldsSomethingStays() throws IOException {
        // Given
        Path before = Files.createDirectory(folder.resolve("before"));
        Path full = folder.resolve("full");
        try (Footprint footprint = Footprint.before(List.of(before, full))) {
            // When
            Files.createDirectory(full);
            Files.writeString(full.resolve("file"), "somebody's");
            assertThat(footprint).isNotNull();
        }

        // Then
        assertThat(before).exists();
        assertThat(full.resolve("file")).exists();
    }

    @Test
    void aNodeThatHasItsPlaceKeepsItsFolders() throws IOException {
        // Given
        Path data = folder.resolve("data");
        try (Footprint footprint = Footprint.before(List.of(data))) {
            // When
            Files.createDirectory(data);
            footprint.keep();
        }

        // Then
        assertThat(data).exists();
    }
}
