package io.quantadb.node.runtime;

import static io.quantadb.node.common.LogKeys.ADDRESS;
import static io.quantadb.node.common.LogKeys.CLUSTER;
import static io.quantadb.node.common.LogKeys.REASON;

import io.quantadb.node.cli.Failure;
import io.quantadb.node.cluster.Addresses;
import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.Event;
import io.quantadb.node.cluster.Member;
import io.quantadb.node.cluster.Placement;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.MonotonicClock;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import io.quantadb.node.config.NodeConfig;
import io.quantadb.node.consensus.RaftStatus;
import io.quantadb.node.coordinator.NodeFacts;
import io.quantadb.node.transport.NettyTransport;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has the cluster note where this node is reached, where it stands and with which priority, when it was started with
 * other settings than it joined with. A node whose ports or addresses are others is dialled by nobody and so hears no
 * leader: when none was heard for {@link #SILENCE} the other members are asked who leads, and that one is told.
 *
 * <p>A thread of its own, until it is closed. Repeated until the state says so.
 */
final class Whereabouts {
    private static final Logger LOGGER = LoggerFactory.getLogger(Whereabouts.class);
    static final Duration SILENCE = Duration.ofSeconds(2);
    private static final Duration LOOK_EVERY = Duration.ofSeconds(1);

    /** What the others are to know of this node, as a greeting says it. */
    private final Greeting self;

    private final Event told;
    private final Supplier<ClusterState> state;
    private final Supplier<@Nullable RaftStatus> raft;
    private final Heard heard;
    private final MonotonicClock clock;
    private final Supplier<List<HostPort>> others;
    private final Mail mail;
    private final Consumer<Event> core;
    private long heardNanos;
    private Placement said = Placement.NONE;

    /** The way to other nodes. */
    interface Mail {
        /** Greets a node; null for no answer. */
        @Nullable
        Greeting hello(HostPort address, Greeting self) throws InterruptedException;

        /** Tells a leader; whether it took it. */
        boolean tellMoved(HostPort address, NodeId leader, Greeting self) throws InterruptedException;
    }

    /**
     * @param self this node as it is configured: its addresses, and zone and priority beside them
     * @param others replication addresses of all that may know who leads
     * @param core where this node leads itself
     */
    Whereabouts(
            Greeting self,
            Supplier<ClusterState> state,
            Supplier<@Nullable RaftStatus> raft,
            Heard heard,
            MonotonicClock clock,
            Supplier<List<HostPort>> others,
            Mail mail,
            Consumer<Event> core) {
        this.self = self;
        this.state = state;
        this.raft = raft;
        this.heard = heard;
        this.clock = clock;
        this.others = others;
        this.mail = mail;
        this.core = core;
        this.told = new Event.MemberTold(0, peer(), addresses(), zone(), priority());
        this.heardNanos = clock.nanos();
    }

    /** Watches over what the cluster knows of this node until {@code closing} ends it. */
    static void watch(
            Closing closing,
            NodeConfig config,
            NodeFacts me,
            Supplier<ClusterState> state,
            Supplier<@Nullable RaftStatus> raft,
            Heard heard,
            MonotonicClock clock,
            NettyTransport transport,
            JoinBook joins) {
        Formation formation =
                new Formation(transport.streams(), clock, config.cluster().joinTimeout());
        Greeting self = new Greeting(
                me.node(),
                me.incarnation(),
                me.clusterId(),
                me.systemIdentifier(),
                "",
                Map.of(me.node(), NodeIdentity.addresses(config)),
                Map.of(
                        "zone", config.cluster().place(),
                        "priority", Integer.toString(config.cluster().priority())));
        Mail mail = new Mail() {
            @Override
            public @Nullable Greeting hello(HostPort address, Greeting greeting) throws InterruptedException {
                return formation.hello(address, greeting);
            }

            @Override
            public boolean tellMoved(HostPort address, NodeId leader, Greeting greeting) throws InterruptedException {
                return formation.tellMoved(address, leader, greeting);
            }
        };
        var watch = new Whereabouts(
                self, state, raft, heard, clock, () -> Belonging.others(config, state.get()), mail, joins::post);
        Thread thread = Thread.ofVirtual().name("quantadb-whereabouts").start(watch::run);
        closing.add("whereabouts", thread::interrupt);
    }

    private void run() {
        try {
            while (true) {
                Thread.sleep(LOOK_EVERY);
                look();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Says it where it is not known, or where that cannot be known since no leader is heard. */
    void look() throws InterruptedException {
        RaftStatus now = raft.get();
        if (now == null) {
            return;
        }
        if (heard.leader(now, clock.nanos())) {
            heardNanos = clock.nanos();
            Member known = state.get().member(peer());
            if (known != null) {
                sayWhatHolds(known);
            }
            if (known == null || agrees(known)) {
                return;
            }
        } else if (clock.nanos() - heardNanos < SILENCE.toNanos()) {
            return;
        } else {
            heardNanos = clock.nanos();
        }
        if (now.isLeader()) {
            core.accept(told);
        } else {
            tell();
        }
    }

    /** Who looks for a value of this node's configuration in vain finds here why. */
    private void sayWhatHolds(Member known) {
        if (known.set().equals(said)) {
            return;
        }
        said = known.set();
        LOGGER.atInfo()
                .addMarker(CLUSTER)
                .addKeyValue("zone", known.zone())
                .addKeyValue("own_zone", zone())
                .addKeyValue("priority", known.priority())
                .addKeyValue("own_priority", priority())
                .log(
                        said.equals(Placement.NONE)
                                ? "zone and priority are those of this node's configuration again"
                                : "zone or priority were set by command, which holds instead of this node's configuration");
    }

    private void tell() throws InterruptedException {
        for (HostPort address : others.get()) {
            Greeting answer = mail.hello(address, self);
            if (answer == null
                    || !answer.clusterId().equals(self.clusterId())
                    || answer.leader().isEmpty()) {
                continue;
            }
            NodeId leader = new NodeId(answer.leader());
            Addresses at = answer.members().get(leader);
            if (at != null && !leader.equals(self.node()) && tell(at.replication(), leader)) {
                LOGGER.atInfo()
                        .addMarker(CLUSTER)
                        .addKeyValue("leader", leader)
                        .addKeyValue(ADDRESS, addresses().replication())
                        .log("the leader was told where this node is reached, its zone and its priority");
                return;
            }
        }
    }

    private boolean tell(HostPort address, NodeId leader) throws InterruptedException {
        try {
            return mail.tellMoved(address, leader, self);
        } catch (Failure e) {
            LOGGER.atDebug()
                    .addMarker(CLUSTER)
                    .addKeyValue(REASON, e.getMessage())
                    .log("the leader took no word of it");
            return false;
        }
    }

    private boolean agrees(Member known) {
        return known.addresses().equals(addresses())
                && known.ownZone().equals(zone())
                && known.ownPriority() == priority();
    }

    private PeerId peer() {
        return new PeerId(self.node(), self.incarnation());
    }

    private Addresses addresses() {
        return Objects.requireNonNull(self.members().get(self.node()));
    }

    private String zone() {
        return self.extra().getOrDefault("zone", "");
    }

    private int priority() {
        return Integer.parseInt(self.extra().getOrDefault("priority", "100"));
    }
}
