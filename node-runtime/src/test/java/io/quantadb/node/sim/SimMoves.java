package io.quantadb.node.sim;

import io.quantadb.node.cluster.Action;
import io.quantadb.node.cluster.AdminRequest;
import io.quantadb.node.cluster.Event;
import io.quantadb.node.cluster.SwitchoverReport;
import io.quantadb.node.cluster.SwitchoverReport.Phase;
import io.quantadb.node.cluster.SwitchoverRequest;
import io.quantadb.node.common.NodeId;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * An operator who keeps asking for another primary, through any node, by name or for the best; nodes that leave after
 * they have handed over; and faults that choose the very moments in which a switchover is somewhere between.
 */
final class SimMoves {
    /** Longer than any request may take to end: its time-out, and what comes after. */
    static final long END_MS = 40_000;

    /** As often as a desk asks again, about. */
    private static final int TRIES_MAX = 5;

    private record Asked(SimNode by, int life, SwitchoverRequest request) {}

    private final SimWorld world;
    private final List<SimNode> nodes;
    private final Map<Long, Asked> asked = new HashMap<>();
    private final Map<Long, Integer> tries = new HashMap<>();
    private final Set<Long> heardOf = new HashSet<>();
    private final Map<Phase, Integer> ended = new EnumMap<>(Phase.class);
    private int refused;
    private long lastId;
    private boolean striking;

    SimMoves(SimWorld world, List<SimNode> nodes) {
        this.world = world;
        this.nodes = nodes;
    }

    void begin() {
        striking = true;
        world.onSwitchover = this::onReport;
        world.onAdminAnswer = this::onAnswer;
        ask();
    }

    void calm() {
        striking = false;
    }

    int ended(Phase phase) {
        return ended.getOrDefault(phase, 0);
    }

    int refused() {
        return refused;
    }

    /** Whether every switchover that its asker heard of has come to an end there, if that lived on. */
    boolean allEnded() {
        heardOf.removeIf(id -> {
            Asked a = asked.get(id);
            return a == null || a.by.life() != a.life;
        });
        return heardOf.isEmpty();
    }

    private void ask() {
        if (!striking) {
            return;
        }
        SimNode by = nodes.get(world.random.nextInt(nodes.size()));
        NodeId primary = world.oracle.committed.primary();
        boolean leaving = primary != null && world.chance(0.15);
        if (leaving) {
            by = world.nodes.get(primary);
        }
        NodeId target = leaving || world.chance(0.5) ? null : nodes.get(world.random.nextInt(nodes.size())).id;
        if (by.running() && by.member()) {
            long id = ++lastId;
            var request = new SwitchoverRequest(
                    id,
                    world.oracle.committed.epoch(),
                    target,
                    200 + world.random.nextInt(3_000),
                    world.random.nextInt(300),
                    leaving);
            asked.put(id, new Asked(by, by.life(), request));
            by.event(new Event.AdminAsked(id, new AdminRequest.Switchover(request)));
        }
        world.afterMs(50, 900, this::ask);
    }

    /** The desk's part: asks where the leader is, asks again when it is not the moment, and when an answer is lost. */
    private void onAnswer(SimNode at, Action.AdminAnswer answer) {
        Asked a = asked.get(answer.requestId());
        if (a == null) {
            return;
        }
        boolean elsewhere = answer.verdict() == Action.AdminVerdict.NOT_LEADER;
        boolean lost = answer.verdict() == Action.AdminVerdict.ACCEPTED && world.chance(0.1);
        boolean again = lost || elsewhere || answer.verdict() == Action.AdminVerdict.NOT_NOW;
        if (!again || tries.merge(answer.requestId(), 1, Integer::sum) > TRIES_MAX) {
            boolean accepted = answer.verdict() == Action.AdminVerdict.ACCEPTED;
            refused += accepted ? 0 : 1;
            if (!accepted && a.request.leaving() && striking) {
                leave(a.by);
            }
            return;
        }
        SimNode next = elsewhere && !answer.words().isEmpty() ? world.nodes.get(new NodeId(answer.words())) : a.by;
        world.afterMs(elsewhere ? 1 : 100, elsewhere ? 8 : 300, () -> {
            if (next != null && next.running()) {
                next.event(new Event.AdminAsked(a.request.id(), new AdminRequest.Switchover(a.request)));
            }
        });
    }

    private void onReport(SimNode at, SwitchoverReport report) {
        Asked a = asked.get(report.id());
        if (a == null || a.by != at) {
            return;
        }
        world.trace("%s hears of switchover %d: %s, %s".formatted(at.id, report.id(), report.phase(), report.words()));
        if (report.over()) {
            if (heardOf.remove(report.id())) {
                ended.merge(report.phase(), 1, Integer::sum);
                if (a.request.leaving() && striking) {
                    leave(at);
                }
            }
            return;
        }
        heardOf.add(report.id());
        if (striking && world.chance(0.25)) {
            strike(report);
        }
    }

    private void leave(SimNode node) {
        node.later(1, 50, () -> {
            node.crash();
            world.afterMs(100, 800, () -> {
                if (!node.up) {
                    node.start();
                    node.joinUntilMember();
                }
            });
        });
    }

    /** Somebody who has a part in it, soon. */
    private void strike(SwitchoverReport report) {
        NodeId id = world.chance(0.5) ? report.from() : report.to();
        SimNode victim = world.chance(0.3) ? nodes.get(world.random.nextInt(nodes.size())) : world.nodes.get(id);
        world.afterMs(0, 80, () -> {
            switch (world.random.nextInt(5)) {
                case 0 -> {
                    victim.crash();
                    world.afterMs(30, 900, () -> {
                        if (!victim.up) {
                            victim.start();
                            victim.joinUntilMember();
                        }
                    });
                }
                case 1 -> victim.pause(world.between(50, 1_200));
                case 2 -> victim.killPostgres();
                case 3 -> victim.slow.begin(SimSlowness.Part.WAL_FLUSH, 50 + world.random.nextInt(900), 900);
                default -> {
                    nodes.stream().filter(o -> o != victim).forEach(o -> {
                        world.network.cut(victim.id, o.id);
                        if (world.chance(0.7)) {
                            world.network.cut(o.id, victim.id);
                        }
                    });
                    world.trace(victim.id + " is cut off while the primary moves");
                    world.afterMs(60, 1_000, world.network::heal);
                }
            }
        });
    }
}
