package io.quantadb.node.postgres;

import io.quantadb.node.common.NodeException.LocalFault;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * One run of a short-lived tool: exit code and what it printed (both streams, the first 64 KiB).
 *
 * @param exitCode 0 for success, 128 + n when signal n ended it
 */
record ToolRun(int exitCode, String output) {
    private static final int OUTPUT_BYTES_MAX = 64 * 1024;

    boolean succeeded() {
        return exitCode == 0;
    }

    /** The end of what it printed, in one line. */
    String lastWords() {
        List<String> lines = output.lines().filter(l -> !l.isBlank()).toList();
        return String.join(" / ", lines.subList(Math.max(0, lines.size() - 4), lines.size()));
    }

    static ToolRun of(List<String> command, Duration deadline) {
        return of(command, "", Path.of("/"), deadline);
    }

    /**
     * Runs to the end, feeding {@code input}; throws {@link LocalFault} when it cannot be started or overruns the
     * deadline (it is killed then). The environment is reduced to what tools need, with the C locale.
     */
    static ToolRun of(List<String> command, String input, Path workingDirectory, Duration deadline) {
        var builder = new ProcessBuilder(command).redirectErrorStream(true).directory(workingDirectory.toFile());
        cleanEnvironment(builder.environment());
        Process process = ChildSpawner.spawn(builder);
        CompletableFuture<String> output = new CompletableFuture<>();
        Thread.ofVirtual().start(() -> read(process.getInputStream(), output));
        Thread.ofVirtual().start(() -> feed(process.getOutputStream(), input));
        try {
            if (!process.waitFor(deadline.toMillis(), TimeUnit.MILLISECONDS)) {
                process.destroyForcibly();
                throw new LocalFault("%s did not finish within %s".formatted(command, deadline));
            }
            return new ToolRun(process.exitValue(), output.get(5, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new LocalFault("interrupted while running " + command.getFirst(), e);
        } catch (ExecutionException | TimeoutException e) {
            throw new LocalFault("cannot read what %s printed".formatted(command.getFirst()), e);
        }
    }

    /** Nothing of the agent's environment reaches PostgreSQL except the path, home and time zone. */
    static void cleanEnvironment(Map<String, String> environment) {
        environment.keySet().retainAll(List.of("PATH", "HOME", "TZ"));
        environment.putIfAbsent("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        environment.put("LC_ALL", "C");
    }

    private static void read(InputStream from, CompletableFuture<String> answer) {
        try (from) {
            byte[] kept = from.readNBytes(OUTPUT_BYTES_MAX);
            from.transferTo(OutputStream.nullOutputStream());
            answer.complete(new String(kept, StandardCharsets.UTF_8));
        } catch (IOException e) {
            answer.completeExceptionally(e);
        }
    }

    private static void feed(OutputStream to, String input) {
        try (to) {
            to.write(input.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            // The tool ended without reading all of it: its exit code tells.
        }
    }
}
