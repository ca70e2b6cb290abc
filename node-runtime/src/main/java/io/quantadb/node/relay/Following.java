package io.quantadb.node.relay;

import io.quantadb.node.cluster.Event;
import io.quantadb.node.cluster.Position;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.LogKeys;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.relay.ReplicationTracker.Phase;
import io.quantadb.node.relay.WalMessages.Status;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Whom a {@link Follower} follows, how far this node's WAL is vouched for there, and what is told of it. */
final class Following {
    private static final Logger LOGGER = LoggerFactory.getLogger(Following.class);

    /** Whom to follow, and under what; {@code primary} when that is the epoch's own, for who reads the log. */
    record Target(NodeId upstream, HostPort address, long epoch, long generation, boolean primary) {}

    private final RelayContext context;
    private final StreamCounts counts = new StreamCounts();
    private @Nullable Target target;
    private Lsn confirmed = Lsn.NONE;
    /** Where the receiver wanted to begin when its start was refused as unvouched; none when it never was. */
    private Lsn refusedStart = Lsn.NONE;

    private int checkedTimeline;
    private Event.@Nullable ReceiverProgress told;

    Following(RelayContext context) {
        this.context = context;
    }

    @Nullable
    Target target() {
        return target;
    }

    StreamCounts counts() {
        return counts;
    }

    void passed(int bytes) {
        if (target != null) {
            counts.passed(target.upstream(), bytes);
        }
    }

    void broke() {
        if (target != null) {
            counts.broke(target.upstream());
        }
    }

    void measure() {
        counts.measure(context.nanos());
    }

    void begin(Target wanted, Position checked) {
        target = wanted;
        confirmed = checked.lsn();
        checkedTimeline = checked.timeline();
        LOGGER.atInfo()
                .addMarker(LogKeys.REPLICATION)
                .addKeyValue(LogKeys.PEER, wanted.upstream())
                .addKeyValue(LogKeys.EPOCH, wanted.epoch())
                .addKeyValue(LogKeys.LSN, confirmed)
                .log("following");
    }

    void end() {
        target = null;
    }

    /** A checked stream of this target delivered, and the receiver flushed, up to here; or a new check found it. */
    void confirm(Lsn position) {
        confirmed = Lsn.max(confirmed, position);
    }

    /**
     * What the next stream says of this member. The position that it may count without delivering anything is what was
     * checked, or flushed of checked streams since; for a held receiver also the byte where it goes on, which counts
     * once the upstream has accepted a start there on the receiver's timeline. A refusal cuts the receiver, and what it
     * held counts no more.
     */
    StreamHeader header(Target wanted, HeldReceiver receiver) {
        Lsn vouched = receiver.phase == Phase.COPY ? Lsn.max(confirmed, receiver.vouched) : confirmed;
        return new StreamHeader(
                new MemberRef(context.config().self(), wanted.generation()),
                context.config().incarnation(),
                wanted.epoch(),
                new Position(checkedTimeline, vouched));
    }

    Event.ReceiverProgress progress(@Nullable HeldReceiver receiver) {
        Lsn delivered = receiver == null ? Lsn.NONE : receiver.delivered;
        Status reported = receiver == null ? Status.NONE : receiver.reported.cappedAt(Lsn.max(confirmed, delivered));
        Target followed = target;
        return new Event.ReceiverProgress(
                followed == null ? 0 : followed.epoch(), delivered, reported.flushed(), reported.applied());
    }

    void tellProgress(@Nullable HeldReceiver receiver) {
        told = progress(receiver);
        context.tell(told);
    }

    void tellNewProgress(@Nullable HeldReceiver receiver) {
        if (!progress(receiver).equals(told)) {
            tellProgress(receiver);
        }
    }

    void tellOpened(StartCommand start) {
        Target followed = target;
        if (followed != null) {
            LOGGER.atInfo()
                    .addMarker(LogKeys.REPLICATION)
                    .addKeyValue(LogKeys.PEER, followed.upstream())
                    .addKeyValue(LogKeys.EPOCH, followed.epoch())
                    .addKeyValue(LogKeys.TIMELINE, start.timeline())
                    .addKeyValue(LogKeys.LSN, start.start())
                    .log(followed.primary() ? "Stream connected to primary" : "Stream connected to standby");
            context.tell(
                    new Event.StreamOpened(followed.upstream(), followed.epoch(), start.timeline(), start.start()));
        }
    }

    /**
     * Whether the WAL is to be compared anew, since the receiver begins beyond what was. Said once for each start: where
     * a second look finds no more, the stream goes on and counts for nothing.
     */
    boolean mustCompareAnew(StartCommand start) {
        boolean vouched = start.start().compareTo(confirmed) <= 0;
        boolean again = start.start().equals(refusedStart);
        refusedStart = vouched ? Lsn.NONE : start.start();
        return !vouched && !again;
    }

    void tellStartUnvouched(Lsn start) {
        Target followed = target;
        if (followed != null) {
            LOGGER.atInfo()
                    .addMarker(LogKeys.REPLICATION)
                    .addKeyValue(LogKeys.PEER, followed.upstream())
                    .addKeyValue(LogKeys.EPOCH, followed.epoch())
                    .addKeyValue(LogKeys.LSN, start)
                    .log("the receiver goes on beyond what was compared; compared anew");
            context.tell(new Event.StartUnvouched(followed.upstream(), followed.epoch()));
        }
    }

    void tellWalRemoved() {
        Target followed = target;
        if (followed != null) {
            context.tell(new Event.WalRemoved(followed.upstream(), followed.epoch()));
        }
    }

    /** The upstream's server answers what the receiver asked; an error to a start is told, and passes on as well. */
    void onAnswer(byte tag, ReplicationTracker asked) {
        Target followed = target;
        if (tag == WalMessages.ERROR && asked.startRefused() && followed != null) {
            int timeline = asked.start().timeline();
            context.tell(new Event.TimelineRefused(followed.upstream(), followed.epoch(), timeline));
        }
    }

    /** Said once: dialling goes on as before. */
    void tellUnreached(long tries, String reason) {
        Target followed = target;
        if (followed != null) {
            LOGGER.atWarn()
                    .addMarker(LogKeys.REPLICATION)
                    .addKeyValue(LogKeys.PEER, followed.upstream())
                    .addKeyValue(LogKeys.EPOCH, followed.epoch())
                    .addKeyValue("tries", tries)
                    .addKeyValue(LogKeys.REASON, reason)
                    .log("the upstream is not reached; dialling goes on");
        }
    }

    /** {@code repeated} failures are told but not logged again. */
    void tellClosed(String reason, boolean repeated) {
        Target followed = target;
        if (followed == null) {
            return;
        }
        if (!repeated) {
            LOGGER.atInfo()
                    .addMarker(LogKeys.REPLICATION)
                    .addKeyValue(LogKeys.PEER, followed.upstream())
                    .addKeyValue(LogKeys.EPOCH, followed.epoch())
                    .addKeyValue(LogKeys.REASON, reason)
                    .log("no stream from the upstream");
        }
        context.tell(new Event.StreamClosed(followed.upstream(), followed.epoch(), reason));
    }
}
