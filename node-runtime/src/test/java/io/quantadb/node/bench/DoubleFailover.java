package io.quantadb.node.bench;

import io.quantadb.node.cli.ClusterClient;
import io.quantadb.node.cli.Demo;
import io.quantadb.node.cli.DemoNode;
import io.quantadb.node.cli.NodeProcesses;
import io.quantadb.node.cli.ProcessMark;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Two primaries are lost one after the other. Three nodes bear the loss of one: whoever loses a second one before the first
 * is back has no majority left, and writes are away until somebody starts a machine, which measures nothing. So, by turns,
 *
 * <ul>
 *   <li>odd rounds: the primary's node dies, and as soon as the log of one that takes over says that it is being promoted,
 *       its PostgreSQL dies with all its processes. Its agent lives: it starts the server again and has it promoted once
 *       more, or, where that had come too far, the third node is promoted;
 *   <li>even rounds: the primary's node dies and is started again, and as soon as all three do their part the node of the
 *       new primary dies: a failover right behind the one before.
 * </ul>
 */
final class DoubleFailover implements Blow {
    private static final Duration PROMOTION = Duration.ofSeconds(20);
    private static final String PROMOTES = "Promoting to PRIMARY role";

    /** One that may take over, looked up before anything is struck. */
    private static final class Survivor {
        private final DemoNode node;
        private final List<ProcessMark> postgres;
        private final long logBytes;

        private Survivor(DemoNode node) throws IOException {
            this.node = node;
            this.postgres = NodeProcesses.postgresTree(node.postgresData());
            this.logBytes = Files.size(node.log());
        }

        private boolean isPromoted() throws IOException {
            try (var in = Files.newInputStream(node.log())) {
                in.skipNBytes(logBytes);
                return new String(in.readAllBytes(), java.nio.charset.StandardCharsets.UTF_8).contains(PROMOTES);
            }
        }
    }

    private final Demo demo;
    private final DemoNode primary;
    private final ProcessMark agent;
    private final List<ProcessMark> postgres;
    private final List<Survivor> survivors = new ArrayList<>();
    private String detail = "";

    DoubleFailover(Demo demo, DemoNode primary) throws IOException {
        this.demo = demo;
        this.primary = primary;
        this.agent = Objects.requireNonNull(primary.agent(), "the primary has no agent");
        this.postgres = NodeProcesses.postgresTree(primary.postgresData());
        for (DemoNode node : demo.nodes()) {
            if (!node.id().equals(primary.id())) {
                survivors.add(new Survivor(node));
            }
        }
    }

    @Override
    public long strike(int round) throws IOException, InterruptedException {
        long at = System.nanoTime();
        agent.kill();
        postgres.forEach(ProcessMark::kill);
        if (round % 2 == 1) {
            strikeThePromoted(at);
        } else {
            strikeTheNext(at);
        }
        return at;
    }

    private void strikeThePromoted(long at) throws IOException, InterruptedException {
        Survivor heir = null;
        while (heir == null) {
            heir = promoted();
            if (System.nanoTime() - at > PROMOTION.toNanos()) {
                throw new IOException("nobody was promoted within %s".formatted(PROMOTION));
            }
            TimeUnit.MILLISECONDS.sleep(1);
        }
        heir.postgres.forEach(ProcessMark::kill);
        detail = "%s, then PostgreSQL of %s %d ms later"
                .formatted(primary.id(), heir.node.id(), (System.nanoTime() - at) / 1_000_000);
    }

    private @Nullable Survivor promoted() throws IOException {
        for (Survivor survivor : survivors) {
            if (survivor.isPromoted()) {
                return survivor;
            }
        }
        return null;
    }

    private void strikeTheNext(long at) throws IOException, InterruptedException {
        while (agent.isAlive() && System.nanoTime() - at < PROMOTION.toNanos()) {
            TimeUnit.MILLISECONDS.sleep(1);
        }
        demo.start(primary.id());
        ClusterClient.View back = demo.awaitReady(Demo.START_DEADLINE, at);
        DemoNode next = demo.nodes().stream()
                .filter(n -> n.id().value().equals(back.primary()))
                .findFirst()
                .orElseThrow();
        List<ProcessMark> tree = NodeProcesses.postgresTree(next.postgresData());
        Objects.requireNonNull(next.agent(), "the new primary has no agent").kill();
        tree.forEach(ProcessMark::kill);
        detail = "%s, then %s %d ms later".formatted(primary.id(), next.id(), (System.nanoTime() - at) / 1_000_000);
    }

    @Override
    public void heal() {
        for (DemoNode node : demo.nodes()) {
            if (!node.running()) {
                demo.start(node.id());
            }
        }
    }

    @Override
    public String detail() {
        return detail;
    }
}
