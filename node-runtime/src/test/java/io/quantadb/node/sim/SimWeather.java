package io.quantadb.node.sim;

import java.util.List;

/** What befalls the network for a while. */
final class SimWeather {
    private final SimWorld world;
    private final List<SimNode> nodes;

    SimWeather(SimWorld world, List<SimNode> nodes) {
        this.world = world;
        this.nodes = nodes;
    }

    /** All ways to and from this node, or all of one direction. */
    void isolate(SimNode n, boolean oneWay) {
        boolean outward = world.chance(0.5);
        for (SimNode o : nodes) {
            if (o != n) {
                if (!oneWay || outward) {
                    world.network.cut(n.id, o.id);
                }
                if (!oneWay || !outward) {
                    world.network.cut(o.id, n.id);
                }
            }
        }
        world.trace("%s is cut off, one way %s".formatted(n.id, oneWay));
        world.afterMs(100, 1500, world.network::heal);
    }

    /** Any ways at all. */
    void split() {
        for (SimNode a : nodes) {
            for (SimNode b : nodes) {
                if (a != b && world.chance(0.3)) {
                    world.network.cut(a.id, b.id);
                }
            }
        }
        world.trace("random ways are cut");
        world.afterMs(100, 1200, world.network::heal);
    }

    /** Messages are lost, come twice, or late. */
    void begin() {
        world.network.loss = world.random.nextDouble() * 0.2;
        world.network.duplicate = world.random.nextDouble() * 0.2;
        world.network.slow = world.random.nextDouble() * 0.5;
        world.afterMs(100, 2000, () -> {
            world.network.loss = 0;
            world.network.duplicate = 0.02;
            world.network.slow = 0.05;
        });
    }
}
