package io.quantadb.node.runtime;

import io.quantadb.node.api.ClusterView;
import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.Member;
import io.quantadb.node.cluster.MemberKind;
import io.quantadb.node.cluster.ServerState;
import io.quantadb.node.cluster.Settings;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.coordinator.FrontGate;
import io.quantadb.node.front.FrontView;
import io.quantadb.node.front.SqlFront;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Turns the coordinator's words into the front's view. Confined to the core thread, but for the ticket of a cancelled
 * wait, which the front gives on its own.
 */
final class FrontAdapter implements FrontGate {
    private static final String STARTING = "this node is starting";
    private static final String FENCED = "this node is fenced by an operator";
    private static final String ALONE = "this node has no contact with a majority of the cluster";
    /** Much longer than an election takes. */
    private static final long ALONE_NANOS = TimeUnit.SECONDS.toNanos(3);

    private final NodeId self;
    private final SqlFront front;
    private final ServingLease lease;
    private final Supplier<Lsn> voice;
    private final LongConsumer drained;
    private volatile boolean stopped;
    private long servingEpoch;
    /** Guarded by this. */
    private long opened;
    /** The last ticket whose server ended before a position was named, 0 for none. Guarded by this. */
    private long endedTicket;

    private String closedReason = STARTING;
    private @Nullable ClusterState state;
    private ServerState server = ServerState.DOWN;
    /** When a leader was last heard; null before the first of this run. */
    private @Nullable Long contactNanos;

    private @Nullable Long firstNanos;
    private Contact contact = Contact.NEVER;

    /** How this node stands to a leader. */
    enum Contact {
        /** Since it was started, which is not long ago: what it knows of the cluster may be of long ago. */
        NEVER,
        /** Now, or a moment ago. */
        HELD,
        LOST
    }

    /** @param drained told, on any thread, that the drain of that round is complete */
    FrontAdapter(NodeId self, SqlFront front, ServingLease lease, Supplier<Lsn> voice, LongConsumer drained) {
        this.self = self;
        this.front = front;
        this.lease = lease;
        this.voice = voice;
        this.drained = drained;
    }

    /** Holds all answers at once, for a cancelled wait that the server's log told of; any thread. */
    long holdNow() {
        return front.holdAnswers();
    }

    /** Names the position that ends this ticket and all before it, read after the ticket was given; any thread. */
    void holdUntil(long ticket, Lsn until) {
        front.holdAnswers(ticket, until, voice);
    }

    /** How often the front was opened as a primary's; any thread. */
    synchronized long opened() {
        return opened;
    }

    /**
     * Nobody can name the position for this ticket, since the server has ended. The front opens only once the voice has
     * passed the end of recovery of the next run, behind which nothing of this one lies: then the hold is over. Any thread.
     *
     * @param before what {@link #opened} said before the server was seen to be down
     */
    synchronized void holdEnds(long ticket, long before) {
        if (opened != before) {
            front.holdAnswers(ticket, Lsn.NONE, voice);
        } else {
            endedTicket = Math.max(endedTicket, ticket);
        }
    }

    boolean serving() {
        return servingEpoch > 0;
    }

    /** The node stops: nothing is served or shown any more, whatever the core says from here on. Any thread. */
    void stop() {
        stopped = true;
        lease.end();
    }

    @Override
    public void open(long epoch) {
        servingEpoch = epoch;
        synchronized (this) {
            opened++;
            if (endedTicket > 0) {
                front.holdAnswers(endedTicket, Lsn.NONE, voice);
                endedTicket = 0;
            }
        }
        publish();
    }

    @Override
    public void close(String reason) {
        lease.end();
        closedReason = reason;
        servingEpoch = 0;
        var _ = front.fence(reason);
        publish();
    }

    @Override
    public void drain(long round, Duration patience) {
        var _ = front.drain(patience).thenRun(() -> drained.accept(round));
    }

    @Override
    public void resume() {
        front.resume();
    }

    @Override
    public void lease(long epoch, long untilNanos) {
        lease.set(epoch, untilNanos);
        if (stopped) {
            lease.end();
        }
    }

    @Override
    public void holdAnswers(Lsn until) {
        front.holdAnswers(until, voice);
    }

    @Override
    public void view(@Nullable ClusterState newState, ServerState newServer) {
        boolean before = fenced();
        state = newState;
        server = newServer;
        if (newServer == ServerState.STANDBY) {
            // What it was closed for as a primary is over.
            closedReason = STARTING;
        }
        if (fenced() && !before) {
            var _ = front.shut(FENCED);
        }
        publish();
    }

    /** Told often, whether a leader was heard in the last second. */
    void contact(boolean held, long nowNanos) {
        firstNanos = firstNanos == null ? Long.valueOf(nowNanos) : firstNanos;
        contactNanos = held ? Long.valueOf(nowNanos) : contactNanos;
        long since = nowNanos - (contactNanos == null ? firstNanos : contactNanos);
        Contact next = since >= ALONE_NANOS ? Contact.LOST : contactNanos == null ? Contact.NEVER : Contact.HELD;
        if (next != contact) {
            contact = next;
            if (server == ServerState.STANDBY && !mayRead()) {
                var _ = front.closeLocal(ALONE);
            }
            publish();
        }
    }

    /** Whether the standby beside us may be shown: under a leader's eyes, or where the settings permit it without. */
    private boolean mayRead() {
        ClusterState s = state;
        Settings.MinorityReads reads =
                s == null ? Settings.MinorityReads.NONE : s.settings().minorityReads();
        return switch (contact) {
            case NEVER -> false;
            case HELD -> true;
            case LOST ->
                reads == Settings.MinorityReads.ALL
                        || (reads == Settings.MinorityReads.REPLICAS && s != null && !self.equals(s.primary()));
        };
    }

    /** What reads through this node's own port show at this moment. */
    ClusterView.Reads reads() {
        FrontView now = front.view();
        return switch (now.mode()) {
            case CLOSED -> ClusterView.Reads.NONE;
            case PRIMARY -> ClusterView.Reads.CURRENT;
            case STANDBY -> contact == Contact.LOST ? ClusterView.Reads.STALE : ClusterView.Reads.CURRENT;
        };
    }

    private void publish() {
        FrontView next = viewNow();
        if (!stopped && !next.equals(front.view())) {
            front.setView(next);
        }
    }

    private FrontView viewNow() {
        if (fenced()) {
            // Not even as a way to others: who fences a node wants nobody to come by it.
            return FrontView.closed(FENCED, null);
        }
        FrontView.Primary primary = primary();
        if (servingEpoch > 0 && primary != null && primary.node().equals(self)) {
            return FrontView.primary(servingEpoch, primary);
        }
        if (server == ServerState.STANDBY) {
            return !mayRead()
                    ? FrontView.closed(contact == Contact.NEVER ? STARTING : ALONE, primary)
                    : contact == Contact.LOST
                            ? FrontView.alone(ALONE + ", and shows what was so once")
                            : FrontView.standby(primary);
        }
        return FrontView.closed(
                witness()
                        ? "this node is a witness and holds no data"
                        : server == ServerState.PROMOTING ? "this node is being promoted" : closedReason,
                primary);
    }

    private boolean witness() {
        Member me = me();
        return me != null && me.kind() == MemberKind.WITNESS;
    }

    private boolean fenced() {
        Member me = me();
        return me != null && me.fence().fenced();
    }

    private @Nullable Member me() {
        return state == null ? null : state.member(self);
    }

    /** Only a released primary is worth connecting to; before Release nobody is. */
    private FrontView.@Nullable Primary primary() {
        ClusterState s = state;
        if (s == null || !s.released() || s.primary() == null) {
            return null;
        }
        Member member = s.member(s.primary());
        return member == null
                ? null
                : new FrontView.Primary(
                        member.peer().node(),
                        member.addresses().replication(),
                        member.addresses().sql());
    }
}
