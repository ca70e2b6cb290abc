package io.quantadb.node.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example of replication under stress, for a short time. */
@Tag("process")
class StressPT {
    private static final int MINUTES = 8;

    @TempDir
    Path logs;

    @Test
    void theExampleLosesNothingAndFindsAllNodesAlike() throws Exception {
        try (Howto program = new Howto(StressPT.class, Path.of("..", "examples", "replication-stress", "README.md"))) {
            // Given
            Path log = logs.resolve("log");
            ProcessBuilder builder = new ProcessBuilder(Path.of("..", "examples", "replication-stress", "run")
                            .toString())
                    .redirectInput(new File("/dev/null"))
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile());
            builder.environment()
                    .put(
                            "QUANTADB",
                            program.folder().resolve("bin").resolve("quantadb").toString());
            builder.environment().put("LOAD_SECONDS", "8");
            builder.environment().put("WRITERS", "2");
            builder.environment().put("BATCH_ROWS", "50");

            // When
            Process run = builder.start();
            boolean ended = run.waitFor(MINUTES, TimeUnit.MINUTES);
            if (!ended) {
                run.destroy();
                run.waitFor(1, TimeUnit.MINUTES);
            }

            // Then
            String said = Files.readString(log, StandardCharsets.UTF_8);
            assertThat(ended).as(said).isTrue();
            assertThat(run.exitValue()).as(said).isZero();
            assertThat(said).contains("all alike").contains("; 0 acknowledged batches lost");
        }
    }
}
