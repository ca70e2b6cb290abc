package io.quantadb.operator.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class K3sTest {
    @TempDir
    Path folder;

    @Test
    void publishesTheKubeconfigForItsOwnerAloneAndLeavesNothingElse() throws IOException {
        Path file = folder.resolve("kubeconfig");

        K3s.publish(file, "kind: Config\n");

        assertThat(file).hasContent("kind: Config\n");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactly(file);
        }
    }
}
