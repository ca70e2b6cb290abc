package io.quantadb.node.relay;

import io.netty.buffer.ByteBuf;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeException.ProtocolViolation;
import io.quantadb.node.relay.WalMessages.Status;

/**
 * Follows one replication stream by its frames, so that no position counts that this very stream did not deliver.
 *
 * <pre>
 *   IDLE --Q--> ASKED --Z--> IDLE
 *                 | W (a START_REPLICATION)
 *                 v
 *               COPY --c from the server--> ENDING --Z--> IDLE
 * </pre>
 *
 * <p>Delivered is the end of the last XLogData since the last start; XLogData must follow on without a gap. A status
 * counts up to {@link #cap()}: the larger of delivered and the position that the divergence check confirmed before the
 * stream was opened, provided that the stream started at or before that. After a start on another timeline the receiver
 * begins at a segment's start again, and so does
 * what was delivered.
 *
 * <p>Pure; one owner. Whatever does not fit is a {@link ProtocolViolation}, after which the stream must be closed.
 */
final class ReplicationTracker {
    enum Phase {
        IDLE,
        ASKED,
        COPY,
        ENDING
    }

    private Lsn confirmed;
    private Phase phase = Phase.IDLE;
    private StartCommand start = new StartCommand("", Lsn.NONE, 0);
    private boolean startAsked;
    private Lsn delivered = Lsn.NONE;
    private Lsn serverEnd = Lsn.NONE;
    private Status last = Status.NONE;
    private Status lastRaw = Status.NONE;

    /** {@code confirmed} is the end of the WAL that was found in the epoch history; none counts for nothing. */
    ReplicationTracker(Lsn confirmed) {
        this.confirmed = confirmed;
    }

    /** A query went to the server; true when it asks to stream. */
    boolean onQuery(String text) {
        WalMessages.require(phase == Phase.IDLE, "a query while the stream is in " + phase);
        phase = Phase.ASKED;
        startAsked = false;
        StartCommand.parse(text).ifPresent(command -> {
            start = command;
            startAsked = true;
        });
        return startAsked;
    }

    /** A frame came from the standby's side, queries excepted. */
    void onClientCopyData(ByteBuf frame) {
        WalMessages.require(phase == Phase.COPY || phase == Phase.ENDING, "CopyData outside of streaming");
        if (WalMessages.kind(frame) == 'r') {
            lastRaw = WalMessages.status(frame);
            last = lastRaw.cappedAt(cap());
        }
    }

    /** A frame came from the server. */
    void onServer(byte tag, ByteBuf frame) {
        switch (tag) {
            case WalMessages.COPY_BOTH -> {
                WalMessages.require(phase == Phase.ASKED && startAsked, "an unasked CopyBothResponse");
                phase = Phase.COPY;
                // what an earlier timeline of this stream delivered and the receiver flushed is on its disk for good
                confirmed = Lsn.max(confirmed, last.flushed());
                delivered = start.start();
                last = Status.NONE;
                lastRaw = Status.NONE;
            }
            case WalMessages.COPY_DATA -> onServerCopyData(frame);
            case WalMessages.COPY_DONE -> {
                WalMessages.require(phase == Phase.COPY, "a CopyDone outside of streaming");
                phase = Phase.ENDING;
            }
            case WalMessages.READY -> phase = Phase.IDLE;
            default -> {
                // rows, completions, notices and errors pass; they move no position
            }
        }
    }

    /** The server answered a start at the very end of its timeline with the next one, and streams nothing. */
    void onEndedAtStart() {
        WalMessages.require(phase == Phase.ASKED && startAsked, "an unasked end of a timeline");
        phase = Phase.ENDING;
        delivered = start.start();
    }

    private void onServerCopyData(ByteBuf frame) {
        WalMessages.require(phase == Phase.COPY, "CopyData from the server outside of streaming");
        switch (WalMessages.kind(frame)) {
            case 'w' -> {
                Lsn from = WalMessages.dataStart(frame);
                if (!from.equals(delivered)) {
                    throw new ProtocolViolation(
                            "08P01", "WAL from %s does not follow on %s".formatted(from, delivered));
                }
                delivered = WalMessages.dataEnd(frame);
                serverEnd = Lsn.max(serverEnd, WalMessages.serverEnd(frame));
            }
            case 'k' -> serverEnd = Lsn.max(serverEnd, WalMessages.serverEnd(frame));
            default -> throw new ProtocolViolation("08P01", "an unknown replication message");
        }
    }

    /** Whether an error that comes now is the answer to a START_REPLICATION. */
    boolean startRefused() {
        return phase == Phase.ASKED && startAsked;
    }

    Phase phase() {
        return phase;
    }

    boolean streaming() {
        return phase == Phase.COPY;
    }

    StartCommand start() {
        return start;
    }

    /** The end of the last XLogData of this start, or the start itself. */
    Lsn delivered() {
        return delivered;
    }

    /** What the server said it had flushed. */
    Lsn serverEnd() {
        return serverEnd;
    }

    /**
     * No report of this stream counts beyond this. A stream that starts beyond what was confirmed leaves a hole that
     * nobody vouches for, so what it delivers counts for nothing.
     */
    Lsn cap() {
        return start.start().compareTo(confirmed) > 0 ? confirmed : Lsn.max(delivered, confirmed);
    }

    /** The last status since the last start, capped. */
    Status status() {
        return last;
    }

    /** The last status since the last start, as the receiver said it. */
    Status uncapped() {
        return lastRaw;
    }
}
