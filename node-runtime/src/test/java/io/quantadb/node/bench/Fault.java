package io.quantadb.node.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quantadb.node.cli.ClusterClient;
import io.quantadb.node.cli.Demo;
import io.quantadb.node.cli.DemoNode;
import io.quantadb.node.cli.NodeProcesses;
import io.quantadb.node.cli.ProcessMark;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Strikes the primary's node of a demo as a scenario says, and undoes it. */
final class Fault implements Blow {
    private static final Duration STOP_DEADLINE = Duration.ofSeconds(30);
    private static final String SWITCHOVER = "/cluster/switchover";

    private final Demo demo;
    private final Scenario scenario;
    private final DemoNode node;
    private final @Nullable Namespaces network;
    private final int index;
    private final ProcessMark agent;
    private final List<ProcessMark> postgres;
    private String detail = "";

    /** Looks the processes up, so that {@link #strike} is quick. */
    Fault(Demo demo, Scenario scenario, DemoNode node, @Nullable Namespaces network) {
        this.network = network;
        this.index = demo.nodes().stream().map(DemoNode::id).toList().indexOf(node.id());
        this.demo = demo;
        this.scenario = scenario;
        this.node = node;
        this.agent = Objects.requireNonNull(node.agent(), "the node has no agent");
        this.postgres = NodeProcesses.postgresTree(node.postgresData());
        if (postgres.isEmpty()) {
            throw new IllegalStateException("%s has no PostgreSQL to strike".formatted(node.id()));
        }
    }

    @Override
    public long strike(int round) throws IOException, InterruptedException {
        long at = System.nanoTime();
        switch (scenario) {
            case KILL_NODE -> {
                agent.kill();
                postgres.forEach(ProcessMark::kill);
            }
            case KILL_AGENT -> agent.kill();
            case KILL_POSTGRES -> (round % 2 == 0 ? postgres : postgres.subList(0, 1)).forEach(ProcessMark::kill);
            case PAUSE_AGENT -> PosixSignal.STOP.send(List.of(agent));
            case PARTITION -> network().cut(index);
            case STOP_NODE -> agent.terminate();
            case SWITCHOVER -> switchOver();
            case DOUBLE_FAILOVER, SLOW_STANDBY -> throw new IllegalStateException("more than one node is in it");
        }
        return at;
    }

    @Override
    public String detail() {
        return detail;
    }

    @Override
    public void heal() throws IOException, InterruptedException {
        switch (scenario) {
            case KILL_NODE, KILL_AGENT -> demo.start(node.id());
            case PAUSE_AGENT -> {
                PosixSignal.CONT.send(List.of(agent));
                if (!agent.isAlive()) {
                    demo.start(node.id());
                }
            }
            case PARTITION -> network().join(index);
            case STOP_NODE -> {
                awaitEnd();
                demo.start(node.id());
            }
            case KILL_POSTGRES, SWITCHOVER, DOUBLE_FAILOVER, SLOW_STANDBY -> {
                // The agent lives on and sees to it.
            }
        }
    }

    /** Asks, and waits until it is done: what comes before the hold takes a while, in which writes go on. */
    private void switchOver() throws IOException, InterruptedException {
        ClusterClient client = new ClusterClient(null);
        String token = Files.readString(node.token()).strip();
        ClusterClient.Reply begun = client.post(node.api(), SWITCHOVER, JsonNodeFactory.instance.objectNode(), token)
                .orElseThrow(() -> new IOException(node.id() + " does not answer"));
        if (begun.status() != 202) {
            throw new IOException("no switchover from %s: %s".formatted(node.id(), begun.body()));
        }
        String path = SWITCHOVER + "?id=" + begun.body().path("id").asText();
        long giveUp = System.nanoTime() + STOP_DEADLINE.toNanos();
        while (System.nanoTime() < giveUp) {
            JsonNode now = client.get(node.api(), path).orElse(begun.body());
            if (now.path("over").asBoolean()) {
                if (!now.path("phase").asText().equals("done")) {
                    throw new IOException("no switchover from %s: %s".formatted(node.id(), now));
                }
                detail = "%s of %d ms"
                        .formatted(
                                now.path("steps_ms"), now.path("write_gap_ms").asLong());
                return;
            }
            TimeUnit.MILLISECONDS.sleep(20);
        }
        throw new IOException("the switchover from %s did not end within %s".formatted(node.id(), STOP_DEADLINE));
    }

    private void awaitEnd() throws IOException, InterruptedException {
        long giveUp = System.nanoTime() + STOP_DEADLINE.toNanos();
        while (agent.isAlive()) {
            if (System.nanoTime() > giveUp) {
                throw new IOException("%s did not stop within %s".formatted(node.id(), STOP_DEADLINE));
            }
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }

    private Namespaces network() {
        return Objects.requireNonNull(network, "a partition needs namespaces");
    }
}
