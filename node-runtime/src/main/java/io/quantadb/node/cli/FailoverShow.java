package io.quantadb.node.cli;

import io.quantadb.node.common.NodeId;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** Kills the demo's primary before the user's eyes while rows are written, and counts what became of them. */
final class FailoverShow {
    private static final Duration STEADY = Duration.ofSeconds(2);
    private static final Duration BACK_DEADLINE = Duration.ofSeconds(60);
    private static final int ROWS_WHEN_BACK = 20;

    /** What was seen. */
    record Result(Duration gap, int acknowledged, long lost, NodeId killed, String primaryNow) {}

    private final Demo demo;
    private final Consumer<String> out;

    FailoverShow(Demo demo, Consumer<String> out) {
        this.demo = demo;
        this.out = out;
    }

    /** Runs the whole show; at its end all nodes are ready again. */
    Result run(long firstId) {
        ClusterClient.View before = demo.awaitReady(Demo.START_DEADLINE, System.nanoTime());
        NodeId primary = new NodeId(before.primary());
        try (DemoWriter writer = writer(firstId)) {
            writer.start();
            out.accept("writing a row every 10 ms for %d s, each acknowledged by %s"
                    .formatted(STEADY.toSeconds(), before.body().path("rule").asText()));
            long began = System.nanoTime();
            await("writes did not start", () -> System.nanoTime() - began > STEADY.toNanos() && writer.count() > 0);
            out.accept("%d rows acknowledged; now the primary dies".formatted(writer.count()));
            long struck = System.nanoTime();
            out.accept(demo.kill(primary));
            await("writes did not come back", () -> writer.countAfter(struck + 100_000_000L) >= ROWS_WHEN_BACK);
            Duration gap = writer.longestGapAfter(struck);
            String now = demo.view().map(ClusterClient.View::primary).orElse("?");
            out.accept(
                    "writes are back: %d ms without an acknowledgement; %s is primary".formatted(gap.toMillis(), now));
            demo.start(primary);
            demo.awaitReady(Demo.START_DEADLINE, System.nanoTime());
            writer.stop();
            long lost = writer.lost();
            out.accept("%d rows acknowledged in all, %d of them lost; %s is back and follows"
                    .formatted(writer.count(), lost, primary));
            return new Result(gap, writer.count(), lost, primary, now);
        } catch (IOException e) {
            throw new Failure(
                    ExitCode.NOT_RUNNING,
                    "the cluster takes no rows: %s".formatted(e.getMessage()),
                    "see quantadb demo status, and the agent.log of each node",
                    e);
        }
    }

    private DemoWriter writer(long firstId) throws IOException {
        String line = Files.readAllLines(demo.passfile()).getFirst();
        return new DemoWriter(
                demo.nodes().stream().map(DemoNode::primaryListener).toList(),
                line.substring(line.lastIndexOf(':') + 1),
                firstId);
    }

    private static void await(String otherwise, BooleanSupplier condition) {
        if (!Demo.poll(BACK_DEADLINE, System.nanoTime(), condition)) {
            throw new Failure(
                    ExitCode.TIMEOUT,
                    "%s within %d s".formatted(otherwise, BACK_DEADLINE.toSeconds()),
                    "see quantadb demo status, and the agent.log of each node");
        }
    }
}
