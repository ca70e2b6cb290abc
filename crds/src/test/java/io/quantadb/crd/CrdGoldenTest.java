package io.quantadb.crd;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.crdv2.generator.CRDGenerator;
import io.quantadb.crd.v1alpha1.QuantaCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The checked-in schema is the one that the records describe; {@code make crds} writes it anew. */
class CrdGoldenTest {
    private static final String FILE = "quantaclusters.quantadb.io-v1.yml";
    private static final Path CHECKED_IN = Path.of("generated", FILE);

    @TempDir
    Path fresh;

    @Test
    void theCheckedInSchemaIsWhatTheRecordsDescribe() throws IOException {
        // Given
        new CRDGenerator()
                .customResourceClasses(QuantaCluster.class)
                .forCRDVersions("v1")
                .withPostProcessor(new SchemaFinish())
                .inOutputDir(fresh.toFile())
                .generate();
        String described = Files.readString(fresh.resolve(FILE));

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
