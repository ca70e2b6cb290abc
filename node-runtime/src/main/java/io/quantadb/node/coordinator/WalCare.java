package io.quantadb.node.coordinator;

import static io.quantadb.node.common.LogKeys.PEER;
import static io.quantadb.node.common.LogKeys.REASON;
import static io.quantadb.node.common.LogKeys.REPLICATION;

import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.KeptWal;
import io.quantadb.node.cluster.Member;
import io.quantadb.node.cluster.MemberKind;
import io.quantadb.node.cluster.SlotKeeper;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MonotonicClock;
import io.quantadb.node.common.NodeException;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.consensus.ControlDispatcher;
import io.quantadb.node.consensus.RaftStatus;
import io.quantadb.node.postgres.PostgresServer;
import io.quantadb.node.postgres.ReplicationSlots;
import io.quantadb.node.relay.WalRelay;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps WAL that other members still need, and no more: once a second, on a virtual thread of its own, asks the local
 * server for its slots, has {@link SlotKeeper} decide, carries that out, and on a primary tells the standbys what is
 * kept. A failure is logged when it begins and tried again in the next round; nothing waits for this thread.
 *
 * <p>It also sees to it that the server hears the voice. A voice that stands still does not read what the server says,
 * and a walsender whose next WAL is gone ends its stream without ending the connection: the agent would go on speaking
 * to nobody, and commits would wait. Two rounds of that, and the voice is opened anew.
 */
public final class WalCare implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(WalCare.class);
    private static final Duration EVERY = Duration.ofSeconds(1);
    private static final long TOLD_LATELY_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final int UNHEARD_MAX = 2;

    private record Told(NodeId by, KeptWal what, long atNanos) {}

    private final NodeId self;
    private final PostgresServer server;
    private final WalRelay relay;
    private final ControlDispatcher network;
    private final Supplier<ClusterState> state;
    private final Supplier<@Nullable RaftStatus> raft;
    private final Supplier<Map<NodeId, Lsn>> fed;
    private final MonotonicClock clock;
    private final SlotKeeper keeper;
    private final ReplicationSlots slots;
    private final AtomicReference<@Nullable Told> told = new AtomicReference<>();
    private volatile Set<NodeId> lost = Set.of();
    private volatile @Nullable Thread thread;
    private String trouble = "";
    private int failures;
    private int unheard;

    /** @param fed on a primary: how far the members are that another standby feeds */
    public WalCare(
            NodeId self,
            PostgresServer server,
            WalRelay relay,
            ControlDispatcher network,
            Supplier<ClusterState> state,
            Supplier<@Nullable RaftStatus> raft,
            Supplier<Map<NodeId, Lsn>> fed,
            MonotonicClock clock) {
        this.self = self;
        this.server = server;
        this.relay = relay;
        this.network = network;
        this.state = state;
        this.raft = raft;
        this.fed = fed;
        this.clock = clock;
        this.keeper = new SlotKeeper(self);
        this.slots = new ReplicationSlots(server.sessions());
    }

    /** To be called once, before the network starts. */
    public void start() {
        network.register(ControlDispatcher.KEPT_WAL, this::onTold);
        thread = Thread.ofVirtual().name("quantadb-wal-care").start(this::run);
    }

    /** Members whose WAL this primary keeps no longer; empty on a standby. Any thread. */
    public Set<NodeId> lost() {
        return lost;
    }

    /** How far the primary's WAL goes as it said lately; {@link Lsn#NONE} where nothing was heard of it. Any thread. */
    public Lsn primaryEnd() {
        ClusterState now = state.get();
        NodeId primary = now.primary();
        KeptWal last = toldBy(primary);
        return last == null || primary == null ? Lsn.NONE : last.end(primary, now.epoch());
    }

    /** Network thread. What somebody says who is not the primary is not used. */
    private void onTold(NodeId from, byte[] payload, long receivedNanos) {
        try {
            told.set(new Told(from, KeptWal.decode(payload), receivedNanos));
        } catch (IllegalArgumentException e) {
            LOGGER.atDebug()
                    .addMarker(REPLICATION)
                    .addKeyValue(PEER, from)
                    .addKeyValue(REASON, e.getMessage())
                    .log("dropped a message that this release cannot read");
        }
    }

    private void run() {
        try {
            while (!Thread.interrupted()) {
                Thread.sleep(EVERY);
                round();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            slots.close();
        }
    }

    private void round() {
        if (!server.isReady()) {
            slots.close();
            lost = Set.of();
            unheard = 0;
            return;
        }
        try {
            ReplicationSlots.Listing listing = slots.list();
            watchVoice(listing);
            ClusterState now = state.get();
            SlotKeeper.Round round = keeper.next(new SlotKeeper.Seen(
                    now,
                    isCurrent(raft.get()),
                    listing.inRecovery(),
                    listing.end(),
                    listing.boundBytes(),
                    listing.slots(),
                    toldBy(now.primary()),
                    fed.get()));
            lost = round.lost();
            round.notices().forEach(WalCare::tell);
            send(now, round.tell());
            for (SlotKeeper.Step step : round.steps()) {
                carryOut(step);
            }
            failures = 0;
            trouble = "";
        } catch (NodeException e) {
            complain(String.valueOf(e.getMessage()));
        }
    }

    private static boolean isCurrent(@Nullable RaftStatus status) {
        return status != null && status.leader() != null && status.appliedIndex() >= status.commitIndex();
    }

    private @Nullable KeptWal toldBy(@Nullable NodeId primary) {
        Told last = told.get();
        boolean counts =
                last != null && last.by().equals(primary) && clock.nanos() - last.atNanos() < TOLD_LATELY_NANOS;
        return counts && last != null ? last.what() : null;
    }

    private void carryOut(SlotKeeper.Step step) {
        switch (step) {
            case SlotKeeper.Step.Create(String slot) -> slots.create(slot);
            case SlotKeeper.Step.Drop(String slot) -> slots.drop(slot);
            case SlotKeeper.Step.Advance(String slot, var to) -> slots.advance(slot, to);
        }
    }

    private void send(ClusterState now, @Nullable KeptWal what) {
        if (what == null) {
            return;
        }
        byte[] bytes = what.encode();
        for (Member m : now.members().values()) {
            if (m.kind() != MemberKind.WITNESS && !m.node().equals(self)) {
                // Not delivered is as good as lost: it is said again in a second.
                network.send(m.node(), ControlDispatcher.KEPT_WAL, bytes);
            }
        }
    }

    private void watchVoice(ReplicationSlots.Listing listing) {
        boolean speaksToNobody = relay.snapshot().voice().open() && !listing.inRecovery() && !listing.voiceIsHeard();
        unheard = speaksToNobody ? unheard + 1 : 0;
        if (unheard >= UNHEARD_MAX) {
            unheard = 0;
            LOGGER.atWarn().addMarker(REPLICATION).log("the server does not hear the voice, which is opened anew");
            relay.renewVoice();
        }
    }

    private static void tell(SlotKeeper.Notice notice) {
        switch (notice) {
            case SlotKeeper.Notice.NearTheBound(NodeId member, long kept, long bound) ->
                LOGGER.atWarn()
                        .addMarker(REPLICATION)
                        .addKeyValue(PEER, member)
                        .addKeyValue("kept_mib", kept >> 20)
                        .addKeyValue("bound_mib", bound >> 20)
                        .log("WAL kept for a member nears max_slot_wal_keep_size, beyond which it has to clone");
            case SlotKeeper.Notice.Lost(NodeId member, long bound) ->
                LOGGER.atWarn()
                        .addMarker(REPLICATION)
                        .addKeyValue(PEER, member)
                        .addKeyValue("bound_mib", bound >> 20)
                        .log("WAL is kept for a member no longer: it was away too long and clones when it returns");
        }
    }

    /** One round may meet a server that is just ending; two in a row are worth a word, and the same word once. */
    private void complain(String words) {
        failures++;
        if (failures > 1 && !words.equals(trouble) && server.isReady()) {
            trouble = words;
            LOGGER.atWarn()
                    .addMarker(REPLICATION)
                    .addKeyValue(REASON, words)
                    .log("the slots that keep WAL for members could not be put in order; tried again every second");
        } else {
            LOGGER.atDebug().addMarker(REPLICATION).addKeyValue(REASON, words).log("slots are not in order yet");
        }
    }

    @Override
    public void close() {
        network.unregister(ControlDispatcher.KEPT_WAL);
        Thread t = thread;
        if (t != null) {
            t.interrupt();
        }
    }
}
