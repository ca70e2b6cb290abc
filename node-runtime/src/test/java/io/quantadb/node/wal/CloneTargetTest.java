package io.quantadb.node.wal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quantadb.node.common.NodeException.LocalFault;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.apache.commons.io.input.BrokenInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CloneTargetTest {
    @TempDir
    private Path dir;

    private static InputStream tar(TarArchiveEntry entry, String content) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes)) {
            byte[] text = content.getBytes(StandardCharsets.UTF_8);
            entry.setSize(text.length);
            tar.putArchiveEntry(entry);
            tar.write(text);
            tar.closeArchiveEntry();
        }
        return new ByteArrayInputStream(bytes.toByteArray());
    }

    private CloneTarget prepared() {
        CloneTarget target = new CloneTarget(dir.resolve("data"), null);
        target.prepare();
        return target;
    }

    @Test
    void writesIntoTheDirectoryBehindALink() throws IOException {
        // Given
        Path elsewhere = Files.createDirectory(dir.resolve("elsewhere"));
        Files.createSymbolicLink(dir.resolve("data"), elsewhere);
        CloneTarget target = prepared();

        // When
        target.unpack(tar(new TarArchiveEntry("PG_VERSION"), "15"));
        target.complete();

        // Then
        assertThat(dir.resolve("data")).isSymbolicLink();
        assertThat(elsewhere.resolve("PG_VERSION")).hasContent("15");
        assertThat(CloneMarker.isIncomplete(elsewhere)).isFalse();
    }

    @Test
    void writesPrivateFilesAndTakesItsMarkerAwayLast() throws IOException {
        // Given
        CloneTarget target = prepared();
        assertThat(CloneMarker.isIncomplete(dir.resolve("data"))).isTrue();

        // When
        target.unpack(tar(new TarArchiveEntry("base/1/2"), "abc"));
        boolean before = CloneMarker.isIncomplete(dir.resolve("data"));
        target.complete();

        // Then
        Path file = dir.resolve("data/base/1/2");
        assertThat(before).isTrue();
        assertThat(CloneMarker.isIncomplete(dir.resolve("data"))).isFalse();
        assertThat(file).hasContent("abc");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file.getParent())))
                .isEqualTo("rwx------");
    }

    @ParameterizedTest
    @ValueSource(strings = {"../outside", "base/../../outside", "/etc/outside", "a/.."})
    void refusesPathsThatLeaveTheDirectory(String name) {
        // Given
        CloneTarget target = prepared();
        TarArchiveEntry entry = new TarArchiveEntry(name, true);

        // When
        assertThatThrownBy(() -> target.unpack(tar(entry, "x")))
                // Then
                .isInstanceOf(LocalFault.class)
                .hasMessageContaining("outside its directory");
        assertThat(dir.resolve("outside")).doesNotExist();
    }

    @Test
    void refusesLinks() {
        // Given
        CloneTarget target = prepared();
        TarArchiveEntry link = new TarArchiveEntry("pg_tblspc/1", TarConstants.LF_SYMLINK);
        link.setLinkName("/etc");

        // When
        assertThatThrownBy(() -> target.unpack(tar(link, "")))
                // Then
                .isInstanceOf(LocalFault.class)
                .hasMessageContaining("tablespaces are not supported");
    }

    @Test
    void refusesADirectoryThatHoldsAnything() throws IOException {
        // Given
        Files.createDirectory(dir.resolve("data"));
        Files.writeString(dir.resolve("data/PG_VERSION"), "15");

        // When
        assertThatThrownBy(this::prepared)
                // Then
                .isInstanceOf(LocalFault.class)
                .hasMessageContaining("is not empty");
        assertThat(dir.resolve("data/PG_VERSION")).hasContent("15");
        assertThat(CloneMarker.isIncomplete(dir.resolve("data"))).isFalse();
    }

    @Test
    void noticesAnArchiveThatBreaksOff() throws IOException {
        // Given
        CloneTarget target = prepared();
        byte[] all = tar(new TarArchiveEntry("base/1"), "x".repeat(5000)).readAllBytes();

        // When
        assertThatThrownBy(() -> target.unpack(new ByteArrayInputStream(all, 0, 2000)))
                // Then
                .isInstanceOf(LocalFault.class);
        assertThat(CloneMarker.isIncomplete(dir.resolve("data"))).isTrue();
    }

    @Test
    void saysWhyABaseBackupCannotBeWritten() {
        CloneTarget target = prepared();
        InputStream full = new BrokenInputStream(() -> new IOException("No space left on device"));

        assertThatThrownBy(() -> target.unpack(full))
                .isInstanceOf(LocalFault.class)
                .hasMessageEndingWith("data: the disk is full");
    }
}
