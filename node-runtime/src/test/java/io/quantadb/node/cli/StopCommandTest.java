package io.quantadb.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StopCommandTest {
    @TempDir
    Path folder;

    private final StringWriter err = new StringWriter();

    @Test
    void stopsTheProcessThatTheRunFolderNames() throws Exception {
        // Given
        Process agent = new ProcessBuilder("sleep", "60").start();
        Path run = Files.createDirectories(folder.resolve("data").resolve("run"));
        AgentPidFile.in(run).write(agent.pid());

        // When
        int status = stop(Map.of("QUANTADB_DATA_DIR", "data"));

        // Then
        assertThat(status).isZero();
        assertThat(agent.waitFor(10, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void touchesNoProcessThatOnlyHasTheSameNumber() throws Exception {
        // Given
        Process other = new ProcessBuilder("sleep", "60").start();
        try {
            ProcessMark mark = ProcessMark.of(other.pid()).orElseThrow();
            Files.write(
                    folder.resolve("agent.pid"),
                    List.of(Long.toString(mark.pid()), Long.toString(mark.started() - 1), mark.boot()));

            // When
            int status = stop(Map.of(), "--run-dir", ".");

            // Then
            assertThat(status).isEqualTo(ExitCode.NOT_RUNNING.status());
            assertThat(err.toString()).contains("agent.pid", "--run-dir");
            assertThat(other.isAlive()).isTrue();
        } finally {
            other.destroyForcibly();
        }
    }

    @Test
    void saysThatItWaitedLongEnough() throws Exception {
        // Given
        Process stubborn =
                new ProcessBuilder("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done").start();
        try {
            assertThat(stubborn.inputReader().readLine()).isEqualTo("ready");
            AgentPidFile.in(folder).write(stubborn.pid());

            // When
            int status = stop(Map.of("QUANTADB_RUN_DIR", folder.toString()), "--timeout", "100ms");

            // Then
            assertThat(status).isEqualTo(ExitCode.TIMEOUT.status());
            assertThat(err.toString()).contains("still runs after 100ms");
        } finally {
            stubborn.destroyForcibly();
        }
    }

    private int stop(Map<String, String> environment, String... more) {
        String[] args = new String[more.length + 1];
        args[0] = "stop";
        System.arraycopy(more, 0, args, 1, more.length);
        return QuantaDb.execute(
                Services.fromClassPath(),
                environment,
                folder,
                new PrintWriter(new StringWriter()),
                new PrintWriter(err, true),
                args);
    }
}
