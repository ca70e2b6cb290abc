package io.quantadb.operator.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Runs commands as a person would, from the top of the tree, with a deadline. */
final class Commands {
    /** What a command printed, both streams together, and how it ended. */
    record Result(int status, String output) {}

    private static final Path TOP = Path.of("..").toAbsolutePath().normalize();

    private Commands() {}

    /** The output of a command that must succeed. */
    static String run(Duration deadline, Map<String, String> environment, String... command) {
        Result result = attempt(deadline, environment, command);
        assertThat(result.status())
                .as("%s: %s", String.join(" ", command), result.output())
                .isZero();
        return result.output();
    }

    static Result attempt(Duration deadline, Map<String, String> environment, String... command) {
        try {
            // Into a file: a pipe that nobody reads in time would hold the command up.
            Path out = Files.createTempFile("command", ".out");
            try {
                var builder = new ProcessBuilder(command)
                        .directory(TOP.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(out.toFile());
                builder.environment().putAll(environment);
                Process process = builder.start();
                if (!process.waitFor(deadline.toMillis(), TimeUnit.MILLISECONDS)) {
                    process.destroyForcibly();
                    throw new AssertionError("no end within %s: %s%n%s"
                            .formatted(deadline, String.join(" ", command), Files.readString(out)));
                }
                return new Result(process.exitValue(), Files.readString(out, StandardCharsets.UTF_8));
            } finally {
                Files.deleteIfExists(out);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted: " + String.join(" ", command), e);
        }
    }
}
