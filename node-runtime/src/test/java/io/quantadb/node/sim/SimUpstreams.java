package io.quantadb.node.sim;

import io.quantadb.node.cluster.AdminRequest;
import io.quantadb.node.cluster.Event;
import io.quantadb.node.cluster.MemberKind;
import io.quantadb.node.common.NodeId;
import java.util.List;

/** An operator who keeps saying from whom read replicas shall stream: mostly possible, sometimes not. */
final class SimUpstreams {
    private final SimWorld world;
    private final List<SimNode> nodes;

    SimUpstreams(SimWorld world, List<SimNode> nodes) {
        this.world = world;
        this.nodes = nodes;
    }

    void begin() {
        List<SimNode> replicas =
                nodes.stream().filter(n -> n.kind == MemberKind.READ_REPLICA).toList();
        SimNode fed = world.chance(0.9) ? any(replicas) : any(nodes);
        ask(fed.id, world.chance(0.1) ? null : any(nodes).id);
        world.afterMs(50, 2_500, this::begin);
    }

    private SimNode any(List<SimNode> of) {
        return of.get(world.random.nextInt(of.size()));
    }

    /** Every node is asked, since more than one may believe that it leads. */
    void ask(NodeId fed, NodeId upstream) {
        nodes.stream()
                .filter(n -> n.up)
                .forEach(n -> n.event(new Event.AdminAsked(0, new AdminRequest.SetUpstream(fed, upstream))));
    }
}
