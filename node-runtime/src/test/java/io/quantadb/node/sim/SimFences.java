package io.quantadb.node.sim;

import io.quantadb.node.cluster.AdminRequest;
import io.quantadb.node.cluster.Event;
import io.quantadb.node.cluster.Member;
import java.util.List;

/** An operator who fences nodes, by force or not, lets them free again, and has servers restarted, all the time. */
final class SimFences {
    private final SimWorld world;
    private final List<SimNode> nodes;
    private boolean busy;

    SimFences(SimWorld world, List<SimNode> nodes) {
        this.world = world;
        this.nodes = nodes;
    }

    void begin() {
        busy = true;
        operate();
    }

    /** From here on whoever is fenced is let free. */
    void calm() {
        busy = false;
    }

    /** Whether some member is fenced, as far as is committed. */
    boolean any() {
        return world.oracle.committed.members().values().stream()
                .anyMatch(m -> m.fence().fenced());
    }

    private void operate() {
        SimNode n = nodes.get(world.random.nextInt(nodes.size()));
        if (busy && world.chance(0.3)) {
            ask(new AdminRequest.FenceMember(n.id, true, world.chance(0.3)));
        } else if (busy && world.chance(0.3)) {
            ask(new AdminRequest.RestartServer(n.id, world.chance(0.5)));
        } else {
            world.oracle.committed.members().values().stream()
                    .filter(m -> m.fence().fenced())
                    .map(Member::node)
                    .findFirst()
                    .ifPresent(node -> ask(new AdminRequest.FenceMember(node, false, false)));
        }
        world.afterMs(20, 500, this::operate);
    }

    /** Every node is asked, since more than one may believe that it leads. */
    void ask(AdminRequest request) {
        nodes.stream().filter(n -> n.up).forEach(n -> n.event(new Event.AdminAsked(0, request)));
    }
}
