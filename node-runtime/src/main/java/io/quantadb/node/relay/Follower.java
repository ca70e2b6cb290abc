package io.quantadb.node.relay;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFuture;
import io.quantadb.node.cluster.Event;
import io.quantadb.node.cluster.Position;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.relay.ReplicationTracker.Phase;
import io.quantadb.node.relay.WalMessages.ServerError;
import io.quantadb.node.relay.WalMessages.Status;
import io.quantadb.node.transport.PeerStreams;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A standby's end of the replication channel: holds the local WAL receiver's connection and joins it to who is upstream.
 *
 * <p>Re-pointing, while the receiver streams: the old peer stream is closed, one to the new upstream opened, and
 * START_REPLICATION issued there at the byte after the last one delivered, on the receiver's timeline; the answer is
 * swallowed. The new primary ends that timeline in the protocol and the receiver follows by itself; where the last byte
 * delivered is the fork itself the server names the next timeline without streaming, and the agent ends the receiver's
 * stream in its place. When the new upstream refuses, the receiver's connection is cut and it starts anew.
 *
 * <p>While there is no upstream the receiver is answered by keepalives, so that its time-out does not strike and a
 * promotion finds it connected.
 *
 * <p>Failures: a lost or refused stream is one {@link Event.StreamClosed}; dialling goes on with back-off until
 * {@link #stopFollowing}. Confined to the relay's loop.
 */
final class Follower implements ReceiverSession.Owner, Link.Owner, UpstreamDialer.Owner {
    private final RelayContext context;
    private final UpstreamDialer dialer;
    private final Throttle progress;
    private final QuickEnds quickEnds;

    private final Following following;
    private long frozenBelow;

    private @Nullable HeldReceiver held;
    private @Nullable UpstreamStream stream;
    private long bytes;
    private long batches;

    Follower(RelayContext context, PeerStreams streams) {
        this.context = context;
        this.dialer = new UpstreamDialer(context, streams, this);
        this.following = new Following(context);
        this.quickEnds = new QuickEnds(context.clock());
        this.progress = context.throttle(() -> following.tellNewProgress(held));
    }

    // ---- asked for by the coordinator

    void follow(Following.Target wanted, Position checked) {
        if (wanted.epoch() < frozenBelow) {
            context.tell(new Event.StreamClosed(
                    wanted.upstream(), wanted.epoch(), "epoch is below the promise " + frozenBelow));
            return;
        }
        if (wanted.equals(following.target())) {
            following.confirm(checked.lsn());
            dialIfNeeded();
            return;
        }
        loseUpstream("following " + wanted.upstream() + " in epoch " + wanted.epoch() + " now");
        following.begin(wanted, checked);
        quickEnds.reset();
        dialer.succeeded();
        dialIfNeeded();
    }

    void stopFollowing(String reason) {
        loseUpstream(reason);
        following.end();
    }

    /** Closes the stream of a lower epoch and follows none again; the futures complete when it is closed. */
    List<ChannelFuture> closeBelow(long epoch) {
        frozenBelow = Math.max(frozenBelow, epoch);
        Following.Target followed = following.target();
        if (followed == null || followed.epoch() >= frozenBelow) {
            return List.of();
        }
        UpstreamStream open = stream;
        loseUpstream("frozen for epoch " + epoch);
        following.end();
        return open == null ? List.of() : List.of(open.link.closing());
    }

    /** Whether the receiver has said that everything given to it is flushed, or there is none to ask. */
    boolean flushedAll() {
        return held == null || held.flushedAll();
    }

    /** Asks the held receiver to say where it is. */
    void askReceiver() {
        HeldReceiver receiver = held;
        if (receiver != null && stream == null && receiver.phase == Phase.COPY) {
            receiver.keepAlive(true);
        }
    }

    void tellProgress() {
        following.tellProgress(held);
    }

    // ---- dialling

    private void dialIfNeeded() {
        Following.Target wanted = following.target();
        HeldReceiver receiver = held;
        boolean joined = stream != null || dialer.busy();
        if (wanted == null || receiver == null || !receiver.session.ready() || joined || quickEnds.mustWait()) {
            return;
        }
        dialer.dial(wanted.upstream(), wanted.address(), following.header(wanted, receiver));
    }

    @Override
    public void onDialled(PeerStreams.Opened opened, Lsn vouched) {
        HeldReceiver receiver = held;
        UpstreamStream open = new UpstreamStream(context, opened, vouched, this);
        stream = open;
        if (receiver != null && receiver.phase == Phase.COPY) {
            receiver.start = receiver.start.at(receiver.delivered);
            open.resume(receiver.start);
        } else if (receiver != null && receiver.asked() != null) {
            open.ask(receiver.asked());
        }
        open.begin();
        if (receiver != null) {
            quickEnds.onJoined();
        }
    }

    @Override
    public void onDialFailed(String reason) {
        if (following.target() != null) {
            following.tellClosed(reason, dialer.failures() > 0);
            dialer.later();
            if (dialer.failures() == context.config().maxReconnectTries()) {
                following.tellUnreached(dialer.failures(), reason);
            }
        }
    }

    @Override
    public void onDialDue() {
        dialIfNeeded();
    }

    /** Drops the stream, or the dial under way, without touching the receiver's connection if that can go on. */
    private void loseUpstream(String reason) {
        dialer.cancel();
        UpstreamStream open = stream;
        if (open != null) {
            open.close();
            onUpstreamLost(open, reason);
        }
    }

    /** The same, and dials again. */
    private void retry(String reason) {
        loseUpstream(reason);
        if (following.target() != null && held != null) {
            dialer.later();
        }
    }

    private void onUpstreamLost(UpstreamStream lost, String reason) {
        stream = null;
        HeldReceiver receiver = held;
        following.tellClosed(reason, false);
        if (receiver == null) {
            return;
        }
        if (receiver.phase == Phase.COPY && !lost.resuming) {
            receiver.vouched = lost.tracker.cap();
        }
        if (receiver.canWait()) {
            receiver.session.link().read(true);
        } else {
            // an answer was half given: only the receiver can ask again
            cutReceiver(receiver, "the upstream was lost: " + reason);
        }
    }

    // ---- from the upstream

    @Override
    public void onBytes(Link from, ByteBuf data) {
        UpstreamStream open = stream;
        HeldReceiver receiver = held;
        if (open == null || open.link != from || receiver == null) {
            data.release();
            return;
        }
        bytes += data.readableBytes();
        batches++;
        following.passed(data.readableBytes());
        open.feed(data, (tag, frame) -> onUpstreamFrame(open, receiver, tag, frame));
    }

    private void onUpstreamFrame(UpstreamStream open, HeldReceiver receiver, byte tag, ByteBuf frame) {
        boolean passes = false;
        try {
            if (open.resuming) {
                passes = onResumeAnswer(open, receiver, tag, frame);
            } else if (receiver.phase == Phase.COPY
                    && (tag == WalMessages.ERROR || tag == WalMessages.COMMAND_COMPLETE)) {
                onStreamEndedByServer(receiver, tag, frame);
            } else {
                open.tracker.onServer(tag, frame);
                receiver.answered();
                following.onAnswer(tag, open.tracker);
                passes = follow(open, receiver);
            }
        } finally {
            if (!passes) {
                frame.release();
            }
        }
        if (passes) {
            receiver.session.link().write(frame);
            if (!receiver.session.link().writable()) {
                open.link.read(false);
            }
        }
    }

    /** Takes the receiver's standing from what it is about to be given; false when it is given nothing. */
    private boolean follow(UpstreamStream open, HeldReceiver receiver) {
        Phase before = receiver.phase;
        boolean begins = before != Phase.COPY && open.tracker.phase() == Phase.COPY;
        if (begins && following.mustCompareAnew(open.tracker.start())) {
            String words = "it goes on beyond what was compared";
            loseUpstream(words);
            cutReceiver(receiver, words);
            following.tellStartUnvouched(open.tracker.start().start());
            return false;
        }
        receiver.phase = open.tracker.phase();
        if (receiver.phase == Phase.COPY) {
            receiver.delivered = open.tracker.delivered();
            if (before != Phase.COPY) {
                receiver.start = open.tracker.start();
                receiver.reported = Status.NONE;
                onStreaming(receiver);
            }
        }
        return true;
    }

    /** Whether the frame is for the receiver all the same. */
    private boolean onResumeAnswer(UpstreamStream open, HeldReceiver receiver, byte tag, ByteBuf frame) {
        if (tag == WalMessages.ERROR) {
            ServerError error = WalMessages.error(frame);
            if (error.serverIsLeaving() || error.slotIsInUse()) {
                retry(error.toString());
            } else {
                if (error.walIsRemoved()) {
                    following.tellWalRemoved();
                }
                loseUpstream("refused to go on at " + receiver.delivered + ": " + error);
                cutReceiver(receiver, "the new upstream refused to go on: " + error);
            }
            return false;
        }
        open.tracker.onServer(tag, frame);
        if (tag == WalMessages.COPY_BOTH) {
            open.resuming = false;
            onStreaming(receiver);
            open.sendStatus(receiver.reported, false);
        } else if (tag == WalMessages.ROW_DESCRIPTION) {
            // the last byte delivered is the fork: there is nothing to stream on this timeline
            open.resuming = false;
            open.tracker.onEndedAtStart();
            receiver.endTimeline();
            return true;
        }
        return false;
    }

    /** The server ended the stream without ending the timeline: it is stopping, or has not got that WAL any more. */
    private void onStreamEndedByServer(HeldReceiver receiver, byte tag, ByteBuf frame) {
        if (tag == WalMessages.ERROR) {
            ServerError error = WalMessages.error(frame);
            if (!error.serverIsLeaving()) {
                if (error.walIsRemoved()) {
                    following.tellWalRemoved();
                }
                loseUpstream(error.toString());
                cutReceiver(receiver, error.toString());
                return;
            }
        }
        retry("the server stopped streaming");
    }

    private void onStreaming(HeldReceiver receiver) {
        quickEnds.onStreaming();
        dialer.succeeded();
        following.tellOpened(receiver.start);
    }

    @Override
    public void onBatchEnd(Link from) {
        if (held != null) {
            held.session.link().flush();
        }
    }

    @Override
    public void onWritable(Link from) {
        if (held != null) {
            held.session.link().read(true);
        }
    }

    @Override
    public void onClosed(Link from, String reason) {
        if (stream != null && stream.link == from) {
            following.broke();
            retry(reason);
        }
    }

    // ---- from the local WAL receiver

    @Override
    public void onReceiver(ReceiverSession started) {
        HeldReceiver before = held;
        if (before != null) {
            // one server has one receiver: the newer connection is the living one
            before.session.cut("57P01", "another WAL receiver connected");
            onReceiverClosed(before.session, "another connected");
        }
        held = new HeldReceiver(context, started);
        dialIfNeeded();
    }

    @Override
    public void onReceiverFrame(ReceiverSession from, byte tag, ByteBuf frame) {
        HeldReceiver receiver = held;
        if (receiver == null || receiver.session != from) {
            frame.release();
            return;
        }
        switch (tag) {
            case WalMessages.QUERY -> {
                receiver.ask(frame);
                if (stream != null) {
                    stream.ask(frame);
                } else {
                    dialIfNeeded();
                }
            }
            case WalMessages.COPY_DATA -> onReceiverCopyData(receiver, frame);
            case WalMessages.COPY_DONE -> onReceiverCopyDone(receiver, frame);
            default -> {
                frame.release();
                from.close();
                onReceiverClosed(from, tag == WalMessages.TERMINATE ? "it left" : "an unexpected message");
            }
        }
    }

    private void onReceiverCopyDone(HeldReceiver receiver, ByteBuf frame) {
        UpstreamStream open = stream;
        if (receiver.endingAlone) {
            receiver.endingAlone = false;
            frame.release();
        } else if (open == null || open.resuming) {
            frame.release();
            cutReceiver(receiver, "no upstream to end the stream with");
        } else {
            open.link.write(frame);
        }
    }

    private void onReceiverCopyData(HeldReceiver receiver, ByteBuf frame) {
        UpstreamStream open = stream;
        boolean passes = false;
        try {
            boolean joined = open != null && !open.resuming && !receiver.endingAlone;
            boolean news = true;
            if (WalMessages.kind(frame) == 'r') {
                receiver.reported = WalMessages.status(frame);
                if (open != null && joined) {
                    news = open.takeStatus(frame);
                    following.confirm(open.tracker.status().flushed());
                } else if (receiver.reported.replyWanted() && receiver.phase == Phase.COPY) {
                    receiver.keepAlive(false);
                }
                progress.mark();
            }
            passes = joined && news;
        } finally {
            if (!passes) {
                frame.release();
            }
        }
        if (passes && open != null) {
            open.link.write(frame);
            if (!open.link.writable()) {
                receiver.session.link().read(false);
            }
        }
    }

    @Override
    public void onReceiverBatchEnd(ReceiverSession from) {
        if (stream != null) {
            stream.link.flush();
        }
    }

    @Override
    public void onReceiverWritable(ReceiverSession from) {
        if (stream != null) {
            stream.link.read(true);
        }
    }

    @Override
    public void onReceiverClosed(ReceiverSession from, String reason) {
        HeldReceiver receiver = held;
        if (receiver != null && receiver.session == from) {
            held = null;
            receiver.answered();
            loseUpstream("the WAL receiver's connection ended: " + reason);
            quickEnds.onReceiverGone();
        }
    }

    private void cutReceiver(HeldReceiver receiver, String words) {
        receiver.session.cut("57P03", words);
        onReceiverClosed(receiver.session, words);
    }

    // ---- time

    /** Comes a few times a second: keepalives while holding, signs of life while streaming. */
    void tick() {
        following.measure();
        HeldReceiver receiver = held;
        if (receiver == null) {
            return;
        }
        RelayConfig config = context.config();
        UpstreamStream open = stream;
        if (open == null || open.resuming) {
            receiver.keepAliveWhenDue();
        }
        if (open == null) {
            if (quickEnds.any()) {
                dialIfNeeded();
            }
            if (receiver.waitedLongerThan(config.heartbeatTimeout().toNanos())) {
                cutReceiver(receiver, "no upstream yet");
            }
        } else if (receiver.phase != Phase.IDLE && open.silentFor(config.heartbeatTimeout())) {
            retry("nothing heard for " + config.heartbeatTimeout());
        } else if (open.silentFor(config.heartbeatInterval())) {
            open.askForSignOfLife(receiver.reported);
        }
    }

    RelaySnapshot.@Nullable Following snapshot() {
        Following.Target followed = following.target();
        if (followed == null) {
            return null;
        }
        Event.ReceiverProgress now = following.progress(held);
        return new RelaySnapshot.Following(
                followed.upstream(),
                followed.epoch(),
                held != null,
                stream != null && stream.streaming(),
                held == null ? 0 : held.start.timeline(),
                now.delivered(),
                now.flushed(),
                now.replayed(),
                bytes,
                batches,
                dialer.failures(),
                dialer.failures() >= context.config().maxReconnectTries(),
                following.counts().bytesPerSecond(followed.upstream()),
                following.counts().errors(followed.upstream()));
    }

    void close() {
        stopFollowing("the relay stops");
        HeldReceiver receiver = held;
        if (receiver != null) {
            receiver.session.close();
            onReceiverClosed(receiver.session, "the relay stops");
        }
    }
}
