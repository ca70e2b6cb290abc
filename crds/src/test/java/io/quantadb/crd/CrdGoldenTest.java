package io.quantadb.crd;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The checked-in schema is the one that the records describe; {@code make crds} writes it anew. */
class CrdGoldenTest {
    private static final Path CHECKED_IN = Path.of("generated", CrdFiles.NAME);

    @TempDir
    Path fresh;

    @Test
    void theCheckedInSchemaIsWhatTheRecordsDescribe() throws IOException {
        // Given
        String described = Files.readString(CrdFiles.generate(fresh));

        // When
        if (Boolean.getBoolean("crds.write")) {
            Files.createDirectories(CHECKED_IN.getParent());
            Files.writeString(CHECKED_IN, described);
        }

        // Then
        assertThat(Files.readString(CHECKED_IN))
                .as("crds/%s; run 'make crds' and look at the difference", CHECKED_IN)
                .isEqualTo(described);
    }
}
