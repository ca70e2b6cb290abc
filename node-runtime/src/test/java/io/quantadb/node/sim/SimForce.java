package io.quantadb.node.sim;

import io.quantadb.node.cluster.Action;
import io.quantadb.node.cluster.AdminRequest;
import io.quantadb.node.cluster.Event;
import io.quantadb.node.common.NodeId;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An operator who waits some seconds for a cluster that serves nothing, asks what a forced failover would lose, reads it for
 * a moment, and confirms it by the cluster's name; now and then in a hurry, while nothing is the matter.
 */
final class SimForce {
    private static final String CLUSTER = "sim";
    private static final Pattern NAMED = Pattern.compile("(\\S+) would be primary, with the cluster's WAL to");
    private static final long ASKS = 1;
    private static final long CONFIRMS = 2;

    private final SimWorld world;
    private final List<SimNode> nodes;
    private NodeId told;
    private long servedAt;
    private long patienceMs;
    private boolean hasty = true;

    SimForce(SimWorld world, List<SimNode> nodes) {
        this.world = world;
        this.nodes = nodes;
    }

    void begin() {
        world.onAdminAnswer = this::onAnswer;
        servedAt = world.now;
        watch();
    }

    /** From here on only where nothing else helps. */
    void calm() {
        hasty = false;
    }

    private void watch() {
        boolean serves = nodes.stream().anyMatch(n -> n.front.serving());
        if (serves) {
            servedAt = world.now;
            patienceMs = hasty ? 200 + world.random.nextInt(1_200) : 5_000L + world.random.nextInt(4_000);
        }
        if (world.now - servedAt > patienceMs * SimWorld.MS || (hasty && world.chance(0.1))) {
            for (SimNode n : nodes) {
                ask(n, ASKS, new AdminRequest.ForceFailover(null, "", false));
            }
        }
        world.afterMs(200, 1_000, this::watch);
    }

    private void ask(SimNode n, long id, AdminRequest request) {
        if (n.running() && n.member()) {
            n.event(new Event.AdminAsked(id, request));
        }
    }

    private void onAnswer(SimNode at, Action.AdminAnswer answer) {
        if (answer.requestId() == ASKS && answer.verdict() == Action.AdminVerdict.UNCONFIRMED) {
            Matcher m = NAMED.matcher(answer.words());
            if (m.find()) {
                told = new NodeId(m.group(1));
                NodeId whom = told;
                world.afterMs(1, 900, () -> ask(at, CONFIRMS, new AdminRequest.ForceFailover(whom, CLUSTER, false)));
            }
        }
        boolean begun = answer.words().equals("%s is made primary by force".formatted(told));
        if (answer.requestId() == CONFIRMS && answer.verdict() == Action.AdminVerdict.ACCEPTED && begun) {
            world.oracle.promotions.onForced(at, told);
        }
    }
}
