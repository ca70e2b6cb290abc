package io.quantadb.node.guard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.cli.ProcessMark;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What {@code hack/test-leftovers} ends of a test run, and that it is nothing else. */
class TestLeftoversTest {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final Path SCRIPT = Path.of("..", "hack", "test-leftovers").toAbsolutePath();
    /** Starts a process in a session of its own, as agents are, without the run's mark, as PostgreSQL is; says its number. */
    private static final String STARTS_ANOTHER = "setsid env -u TEST_RUN sleep 600 & echo $!; wait";
    /** The same, with the mark. */
    private static final String STARTS_AN_AGENT = "setsid sleep 600 & echo $!; wait";

    private final String run = "test." + ProcessHandle.current().pid() + "." + System.nanoTime();
    private final List<Process> started = new ArrayList<>();
    private final List<ProcessMark> numbered = new ArrayList<>();

    @BeforeEach
    void needsLinux() {
        assumeThat(Files.isReadable(Path.of("/proc/self/environ")))
                .as("there is a /proc")
                .isTrue();
    }

    @AfterEach
    void endAll() {
        started.forEach(Process::destroyForcibly);
        numbered.forEach(ProcessMark::kill);
    }

    private Process start(Map<String, String> environment, String... command) throws IOException {
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().keySet().removeAll(List.of("TEST_RUN", "TEST_TRACK", "TEST_FORK"));
        builder.environment().putAll(environment);
        Process process = builder.start();
        started.add(process);
        return process;
    }

    /** What passes for a test JVM of that fork, which runs this. */
    private Process testJvm(String fork, String script) throws IOException {
        return start(Map.of("TEST_RUN", run, "TEST_FORK", fork), "sh", "-c", script, "-jar", "surefirebooter.jar");
    }

    private Process leftovers(String... words) throws IOException {
        List<String> command = new ArrayList<>(List.of(SCRIPT.toString()));
        command.addAll(Arrays.asList(words));
        return start(Map.of(), command.toArray(String[]::new));
    }

    /** The process whose number it says. */
    private ProcessMark saidBy(Process process) throws IOException {
        BufferedReader reader = process.inputReader();
        ProcessMark mark = ProcessMark.of(Long.parseLong(reader.readLine())).orElseThrow();
        numbered.add(mark);
        return mark;
    }

    private static boolean ended(Process process) throws InterruptedException {
        return process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }

    @Test
    void endsWhatTheRunHasStartedAndWhatThatHasAndNothingElse() throws Exception {
        // Given
        Process ours = start(Map.of("TEST_RUN", run), "sh", "-c", STARTS_ANOTHER);
        ProcessMark unmarked = saidBy(ours);
        Process others = start(Map.of("TEST_RUN", run + ".other"), "sleep", "600");
        Process nobodys = start(Map.of(), "sleep", "600");

        // When
        Process end = leftovers("end", run);

        // Then
        assertThat(ended(end)).isTrue();
        assertThat(end.exitValue()).isZero();
        assertThat(ended(ours)).isTrue();
        assertThat(unmarked.isAlive()).isFalse();
        assertThat(List.of(others, nobodys)).allMatch(Process::isAlive);
    }

    @Test
    void endsWhatADeadTestJvmLeftAndAllOnceTheScriptIsGone() throws Exception {
        // Given
        Process script = start(Map.of(), "sleep", "600");
        Process first = testJvm("1", STARTS_AN_AGENT);
        Process second = testJvm("2", STARTS_AN_AGENT);
        ProcessMark agentOfFirst = saidBy(first);
        ProcessMark agentOfSecond = saidBy(second);
        Process watch = leftovers("watch", run, Long.toString(script.pid()));

        // When
        first.destroyForcibly();

        // Then
        await("the agent of the dead one is ended").atMost(PATIENCE).until(() -> !agentOfFirst.isAlive());
        assertThat(List.of(script, second, watch)).allMatch(Process::isAlive);
        assertThat(agentOfSecond.isAlive()).isTrue();

        // And when
        script.destroyForcibly();

        // Then
        assertThat(ended(watch)).isTrue();
        assertThat(ended(second)).isTrue();
        assertThat(agentOfSecond.isAlive()).isFalse();
    }
}
