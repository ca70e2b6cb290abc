package io.quantadb.node.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Keeps pgbench running with 8 clients through the listener that follows the primary; starts it anew when it breaks. */
final class PgbenchLoad implements AutoCloseable {
    static final int SCALE = 10;
    static final int CLIENTS = 8;

    private final Path pgbench;
    private final String url;
    private final Path log;
    private final int scale;
    private final List<String> more;
    private final Thread keeper;
    private volatile boolean stopped;
    private volatile Process process;

    PgbenchLoad(Path pgbench, String url, Path log) {
        this(pgbench, url, log, SCALE, List.of());
    }

    /** @param more arguments of the runs that go on, such as a rate */
    PgbenchLoad(Path pgbench, String url, Path log, int scale, List<String> more) {
        this.scale = scale;
        this.more = List.copyOf(more);
        this.pgbench = pgbench;
        this.url = url;
        this.log = log;
        this.keeper = Thread.ofPlatform().name("bench-load").unstarted(this::keep);
    }

    /** Fills the tables; takes some seconds. */
    void initialise() throws IOException, InterruptedException {
        Process init = start(List.of("-i", "-q", "-s", Integer.toString(scale)));
        if (!init.waitFor(5, TimeUnit.MINUTES) || init.exitValue() != 0) {
            init.destroyForcibly();
            throw new IOException("pgbench could not fill its tables; see " + log);
        }
    }

    void start() {
        keeper.start();
    }

    private void keep() {
        while (!stopped) {
            try {
                List<String> arguments =
                        new ArrayList<>(List.of("-n", "-c", Integer.toString(CLIENTS), "-j", "2", "-T", "86400"));
                arguments.addAll(more);
                process = start(arguments);
                process.waitFor();
                TimeUnit.MILLISECONDS.sleep(100);
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            } catch (InterruptedException e) {
                stopped = true;
            }
        }
    }

    private Process start(List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(pgbench.toString());
        command.addAll(arguments);
        command.add(url);
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
    }

    @Override
    public void close() throws InterruptedException {
        stopped = true;
        keeper.interrupt();
        Process running = process;
        if (running != null) {
            running.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
        }
        keeper.join(TimeUnit.SECONDS.toMillis(10));
    }
}
