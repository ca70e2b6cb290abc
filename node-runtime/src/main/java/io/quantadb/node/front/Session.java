package io.quantadb.node.front;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.EventLoop;
import io.quantadb.node.common.MonotonicClock;
import io.quantadb.node.common.NodeException.ProtocolViolation;
import io.quantadb.node.front.Gate.Direction;
import io.quantadb.node.front.Gate.Pass;
import java.util.ArrayDeque;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One client and its server: both channels, what is held between them, and when they end.
 * <pre>
 *             gate says FORWARD            server or client closes
 *   open ◄──────────────────────► held ──┐        │
 *     │        gate says HOLD            ▼        ▼
 *     └────── CUT, fence ───────────► cut ───► ended
 * </pre>
 * Back-pressure: auto-read is off on both channels, and a side is read again only when the other one's unsent bytes
 * are below the mark and nothing of it is held; so one read (at most 64 KiB) beyond the mark is all that a slow or
 * held side can pile up. Bytes are written and flushed in the same pass in which the gate was asked.
 *
 * <p>Confined to the client channel's event loop; a server channel on another loop hands over to it. Bytes held when
 * the session is cut are released and never sent.
 */
// a write or close that fails ends its channel, and that end is heard
@SuppressWarnings("FutureReturnValueIgnored")
final class Session {
    private static final long CLOSE_DEADLINE_MS = 5_000;

    /** What kind of connection it is; only the first ones are the local server's and pass the gate. */
    enum Kind {
        LOCAL,
        PEER,
        RELAYED
    }

    /** What a session tells its front. */
    interface Owner {
        /** A cancelled wait was seen; returns when all answers are held. */
        void onWaitCancelled(Session session);

        void onVoiceNameClaimed(Session session);

        void onKey(Session session, CancelKey key);

        void onHeld(Session session, boolean held);

        /** Told while the gate drains, when what ended the session's transaction has been sent to its client. */
        void onBetween(Session session);

        void onEnded(Session session);

        Report readOnly(Report original);
    }

    /**
     * @param number counts sessions of this run
     * @param gate null for a relayed session, which its other end gates
     */
    record Setup(
            long number,
            Kind kind,
            String user,
            String clientAddress,
            boolean replication,
            boolean allowLowered,
            @Nullable Gate gate,
            long epoch,
            FrontView.@Nullable Primary peer,
            FrontConfig.Limits limits) {}

    private final Setup setup;
    private final Channel client;
    private final Channel server;
    private final EventLoop loop;
    private final Owner owner;
    private final MonotonicClock clock;
    private final AnswerInspector toClient;
    private final FrameScanner answers;
    private final FrameScanner statements;
    private final Turns turns = new Turns();
    private final ArrayDeque<ByteBuf> heldAnswers = new ArrayDeque<>();
    private final ArrayDeque<ByteBuf> heldStatements = new ArrayDeque<>();

    private volatile long boundEpoch;
    private boolean held;
    private long heldSinceNanos;
    private boolean clientClosed;
    private boolean serverClosed;
    private boolean terminated;
    private boolean ending;
    private boolean ended;

    Session(Setup setup, Channel client, Channel server, Owner owner, MonotonicClock clock) {
        this.setup = setup;
        this.client = client;
        this.server = server;
        this.loop = client.eventLoop();
        this.owner = owner;
        this.clock = clock;
        this.boundEpoch = setup.epoch();
        this.toClient = new AnswerInspector(this, client, owner, turns);
        this.answers = new FrameScanner(toClient);
        this.statements = new FrameScanner((tag, length) -> {
            turns.onStatement(tag);
            return SessionGuard.wants(tag, length);
        });
    }

    Setup setup() {
        return setup;
    }

    long boundEpoch() {
        return boundEpoch;
    }

    EventLoop loop() {
        return loop;
    }

    /** Joins the channels: sends the start-up packet and what the client sent behind it. Owns both buffers. */
    void start(ByteBuf startup, ByteBuf rest) {
        client.pipeline().addLast(new LegHandler(this, false));
        server.pipeline().addLast(new LegHandler(this, true));
        server.writeAndFlush(startup);
        onBytes(false, rest);
        // one that closed before its handler was there told nobody
        if (!server.isActive()) {
            onClosed(true);
        }
        if (!client.isActive()) {
            onClosed(false);
        }
        onReadComplete(false);
        onReadComplete(true);
    }

    /** Runs on the session's loop: now when on it, else soon. */
    void run(Runnable task, @Nullable ByteBuf ownedByTask) {
        if (loop.inEventLoop()) {
            task.run();
            return;
        }
        try {
            loop.execute(task);
        } catch (RejectedExecutionException e) {
            // the loop has shut down, and with it the session
            if (ownedByTask != null) {
                ownedByTask.release();
            }
        }
    }

    void onBytes(boolean fromServer, ByteBuf bytes) {
        ArrayDeque<ByteBuf> queue = fromServer ? heldAnswers : heldStatements;
        if (ended || ending || !bytes.isReadable()) {
            bytes.release();
            return;
        }
        queue.add(bytes);
        pump(fromServer);
    }

    void onReadComplete(boolean fromServer) {
        if (ended || ending) {
            return;
        }
        Channel from = fromServer ? server : client;
        Channel to = fromServer ? client : server;
        if (to.isWritable() && (fromServer ? heldAnswers : heldStatements).isEmpty()) {
            from.read();
        }
    }

    void onWritable(boolean serverSide) {
        Channel channel = serverSide ? server : client;
        if (channel.isWritable()) {
            onReadComplete(!serverSide);
        }
    }

    void onClosed(boolean serverSide) {
        if (serverSide) {
            serverClosed = true;
        } else {
            clientClosed = true;
        }
        if (clientClosed) {
            end(null, false);
        } else if (heldAnswers.isEmpty()) {
            serverGone();
        }
    }

    /** Asks the gate again: for a new view, and while held. */
    void recheck() {
        if (ended || ending) {
            return;
        }
        if (setup.gate() == null) {
            return;
        }
        Pass pass = pass(Direction.ANSWER);
        switch (pass) {
            case FORWARD -> release();
            case HOLD_LEASE -> cutAfter(setup.limits().leaseGrace(), "It has lost contact with the majority.");
            case HOLD_CLOSED -> cutAfter(setup.limits().promotionHold(), "It is not serving right now.");
            case HOLD_DRAIN -> {
                // Of statements alone; answers pass.
            }
            case HOLD_ANSWERS -> {
                pump(false);
                onReadComplete(false);
                if (held && heldNanos() > setup.limits().answersHeldMax().toNanos()) {
                    end(Words.answersHeld(), true);
                }
            }
            case CUT -> cut(setup.gate().view().reason());
        }
    }

    /** Ends the session at once; nothing that is held is sent, so that a transaction which waits for its client is not committed. */
    void cut(String reason) {
        end(turns.openAndIdle() ? Words.notCommitted(reason) : Words.cut(reason), true);
    }

    /** Ends the session at once with words of somebody who looked at its messages. */
    void abort(Report last) {
        end(last, true);
    }

    private void cutAfter(java.time.Duration grace, String reason) {
        if (held && heldNanos() > grace.toNanos()) {
            cut(reason);
        }
    }

    private void release() {
        pump(false);
        pump(true);
        if (ended || ending) {
            return;
        }
        if (serverClosed && heldAnswers.isEmpty()) {
            serverGone();
            return;
        }
        onReadComplete(true);
        onReadComplete(false);
    }

    private Pass pass(Direction direction) {
        Gate gate = setup.gate();
        if (gate == null) {
            return Pass.FORWARD;
        }
        boundEpoch = gate.rebind(boundEpoch);
        Pass pass = gate.decide(boundEpoch, direction);
        boolean begins = direction == Direction.STATEMENT && turns.between();
        return pass == Pass.FORWARD && begins && gate.draining() ? Pass.HOLD_DRAIN : pass;
    }

    /** Whether no transaction is under way; replication connections never come to an end by themselves. */
    boolean between() {
        return ended || ending || setup.replication() || turns.between();
    }

    /** Whether a transaction is open, and everybody waits for its client. */
    boolean idleInTransaction() {
        return heldAnswers.isEmpty() && turns.openAndIdle();
    }

    /** Rises with everything that a transaction does. */
    long turn() {
        return turns.count();
    }

    /** Forwards what is queued in one direction as far as the gate lets it. */
    private void pump(boolean fromServer) {
        ArrayDeque<ByteBuf> queue = fromServer ? heldAnswers : heldStatements;
        Channel to = fromServer ? client : server;
        boolean wrote = false;
        while (!queue.isEmpty() && !ending && !ended) {
            Pass pass = pass(fromServer ? Direction.ANSWER : Direction.STATEMENT);
            if (pass == Pass.CUT) {
                cut(setup.gate() == null ? "" : setup.gate().view().reason());
                return;
            }
            if (pass != Pass.FORWARD) {
                break;
            }
            ByteBuf bytes = queue.element();
            try {
                (fromServer ? answers : statements).scan(bytes, fromServer ? toClient : toServer);
            } catch (ProtocolViolation e) {
                end(Report.fatal(e.sqlState(), String.valueOf(e.getMessage()), null, null), true);
                return;
            }
            wrote = true;
            if (!bytes.isReadable() && !queue.isEmpty()) {
                queue.remove().release();
            }
        }
        if (wrote) {
            to.flush();
        }
        noteHeld();
        Gate gate = setup.gate();
        if (fromServer && wrote && gate != null && gate.draining() && between()) {
            owner.onBetween(this);
        }
    }

    private void noteHeld() {
        boolean now = !heldAnswers.isEmpty() || !heldStatements.isEmpty();
        if (now != held) {
            held = now;
            heldSinceNanos = clock.nanos();
            owner.onHeld(this, now);
        }
    }

    private long heldNanos() {
        return clock.nanos() - heldSinceNanos;
    }

    private final FrameScanner.Sink toServer = new FrameScanner.Sink() {
        @Override
        public void raw(ByteBuf bytes) {
            server.write(bytes);
        }

        @Override
        public boolean message(byte tag, ByteBuf whole) {
            terminated |= tag == SessionGuard.TERMINATE;
            server.write(setup.allowLowered() ? whole : SessionGuard.withoutLoweredCommit(whole, server.alloc()));
            return true;
        }
    };

    private void serverGone() {
        boolean expected = toClient.saidFatal() || terminated;
        end(expected ? null : Words.lost("the connection to the server was lost"), false);
    }

    /**
     * Ends both channels. {@code last} goes to the client when it can be sent as a message of its own, that is, when
     * what the client was sent ends with a whole message. What was forwarded and lies unsent goes first, or, when
     * {@code atOnce}, is dropped.
     */
    private void end(@Nullable Report last, boolean atOnce) {
        if (ending || ended) {
            finishIfClosed();
            return;
        }
        ending = true;
        heldAnswers.forEach(ByteBuf::release);
        heldAnswers.clear();
        heldStatements.forEach(ByteBuf::release);
        heldStatements.clear();
        if (held) {
            held = false;
            owner.onHeld(this, false);
        }
        closeClient(last, atOnce);
        if (server.isActive()) {
            if (clientClosed) {
                // what the client sent last (such as Terminate) still reaches the server
                server.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
            } else {
                server.close();
            }
        }
        loop.schedule(this::forceClosed, CLOSE_DEADLINE_MS, TimeUnit.MILLISECONDS);
        finishIfClosed();
    }

    private void closeClient(@Nullable Report last, boolean atOnce) {
        if (!client.isActive()) {
            client.close();
            return;
        }
        if (atOnce && !nothingUnsent()) {
            // past the pipeline: TLS would first try to send what lies there
            client.unsafe().close(client.newPromise());
            return;
        }
        boolean speak = last != null && answers.atBoundary();
        ByteBuf end = speak && last != null ? last.encode(client.alloc()) : Unpooled.EMPTY_BUFFER;
        client.writeAndFlush(end).addListener(ChannelFutureListener.CLOSE);
    }

    private boolean nothingUnsent() {
        var outbound = client.unsafe().outboundBuffer();
        return outbound != null && outbound.totalPendingWriteBytes() == 0;
    }

    private void forceClosed() {
        client.close();
        server.close();
        finish();
    }

    private void finishIfClosed() {
        if (clientClosed && serverClosed) {
            finish();
        }
    }

    private void finish() {
        if (!ended) {
            ended = true;
            answers.release();
            statements.release();
            owner.onEnded(this);
        }
    }
}
