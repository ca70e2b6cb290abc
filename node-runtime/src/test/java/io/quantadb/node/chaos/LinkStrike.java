package io.quantadb.node.chaos;

import io.quantadb.node.chaos.Step.Aim;
import io.quantadb.node.chaos.Step.Role;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/** What happens to the network between nodes. */
enum LinkStrike implements Strike {
    /** All connections of one node are late, by up to 200 ms each way: nothing that may move the primary. */
    DELAY_NODE(10, 500, 8_000, true),
    /** One direction is late and uneven. */
    DELAY_LINK(8, 500, 6_000, false),
    /** One direction loses: connections end at random. */
    DROP_LINK(6, 500, 5_000, false),
    /** All connections of one node are reset, once. */
    RESET_NODE(4, 0, 0, true),
    /** One direction carries nothing, the other goes on. */
    CUT_LINK(8, 200, 6_000, false),
    /** A node is cut off from all others. */
    ISOLATE_NODE(8, 200, 8_000, false),
    /** One direction is narrow. */
    THROTTLE_LINK(5, 500, 6_000, false);

    private static final int DELAY_MAX_MS = 200;

    private final int weight;
    private final int forMinMs;
    private final int forMaxMs;
    private final boolean primaryMustStay;

    LinkStrike(int weight, int forMinMs, int forMaxMs, boolean primaryMustStay) {
        this.weight = weight;
        this.forMinMs = forMinMs;
        this.forMaxMs = forMaxMs;
        this.primaryMustStay = primaryMustStay;
    }

    static List<Strike> all() {
        return List.of(values());
    }

    @Override
    public int weight() {
        return weight;
    }

    @Override
    public String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    @Override
    public boolean primaryMustStay() {
        return primaryMustStay;
    }

    @Override
    public Step draw(long atMs, Random random) {
        Role role = random.nextInt(3) == 0 ? Role.ANY : random.nextBoolean() ? Role.PRIMARY : Role.STANDBY;
        Aim aim = new Aim(role, random.nextInt(1 << 10), random.nextInt(1 << 10));
        int forMs = forMaxMs == 0 ? 0 : forMinMs + random.nextInt(forMaxMs - forMinMs);
        int amount = switch (this) {
            case DELAY_NODE -> 10 + random.nextInt(DELAY_MAX_MS - 9);
            case DELAY_LINK -> 10 + random.nextInt(2 * DELAY_MAX_MS);
            case DROP_LINK -> 5 + random.nextInt(96);
            case THROTTLE_LINK -> 16 << random.nextInt(7);
            case RESET_NODE, CUT_LINK, ISOLATE_NODE -> 0;
        };
        return new Step(atMs, forMs, label(), aim, amount);
    }

    @Override
    public Undo strike(Step step, ChaosCluster cluster) {
        int node = step.aim().node(cluster.primaryIndex(), cluster.size());
        Link link = new Link(node, step.aim().other(node, cluster.size()));
        List<Link> around = Link.of(node, cluster.size());
        return switch (this) {
            case DELAY_NODE -> cluster.impose(around, LinkFaults.delay(0, step.amount()));
            case DELAY_LINK ->
                cluster.impose(List.of(link), LinkFaults.delay(step.amount() / 2, (step.amount() + 1) / 2));
            case DROP_LINK -> cluster.impose(List.of(link), LinkFaults.drop(step.amount()));
            case CUT_LINK -> cluster.impose(List.of(link), LinkFaults.severed());
            case ISOLATE_NODE -> cluster.impose(around, LinkFaults.severed());
            case THROTTLE_LINK -> cluster.impose(List.of(link), LinkFaults.throttle(step.amount() * 1024L));
            case RESET_NODE -> {
                around.forEach(cluster.proxy()::reset);
                yield Undo.NOTHING;
            }
        };
    }
}
