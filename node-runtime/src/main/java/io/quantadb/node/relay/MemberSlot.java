package io.quantadb.node.relay;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import io.quantadb.node.common.LogKeys;
import io.quantadb.node.relay.WalMessages.ServerError;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sees to it, on a replication connection that has just logged in, that there is a physical slot for the member whose
 * stream this will be, so that WAL is kept for it from here on.
 *
 * <pre>
 *   READ --there--> done          READ --not there--> CREATE --> done
 *   READ --lost, or to be made anew--> DROP --> CREATE --> done
 * </pre>
 *
 * <p>A slot is lost when its WAL went beyond the server's bound; it keeps nothing, and from PostgreSQL 18 on nobody may
 * stream by it. The new one reserves the oldest WAL that is there. Whether the member's next is among it, the stream
 * itself will tell. Where no slot can be had (all are taken, the disk is full) the member streams without.
 *
 * <p>Confined to the relay's loop.
 */
final class MemberSlot extends ChannelInboundHandlerAdapter {
    private static final Logger LOGGER = LoggerFactory.getLogger(MemberSlot.class);
    private static final String NOT_THERE = "42704";
    private static final String THERE_ALREADY = "42710";
    private static final String IN_USE = "55006";

    /** Exactly one of the two is called, once, within the connect timeout. */
    interface Outcome {
        /** The server awaits a command, auto-read is off; {@code kept} says whether the slot can be streamed by. */
        void onReady(boolean kept);

        void onFailed(String reason);
    }

    private enum Step {
        READ,
        DROP,
        CREATE
    }

    private final Channel server;
    private final String name;
    private final boolean anew;
    private final Outcome outcome;
    private final FrameCutter cutter;
    private Step step = Step.READ;
    private boolean there;
    private boolean keeps;
    private @Nullable ServerError error;
    private boolean done;

    private MemberSlot(Channel server, String name, boolean anew, Outcome outcome) {
        this.server = server;
        this.name = name;
        this.anew = anew;
        this.outcome = outcome;
        this.cutter = new FrameCutter(server.alloc());
    }

    /** @param anew whatever WAL an existing one keeps is of no use any more: the member takes a base backup */
    static void ensure(EventLoop loop, RelayConfig config, Channel server, String name, boolean anew, Outcome outcome) {
        MemberSlot slot = new MemberSlot(server, name, anew, outcome);
        if (!server.isActive()) {
            slot.fail("the server ended the connection");
            return;
        }
        long timeoutMs = config.connectTimeout().toMillis();
        var deadline = loop.schedule(
                () -> slot.fail("the server did not answer about a slot in " + timeoutMs + " ms"),
                timeoutMs,
                TimeUnit.MILLISECONDS);
        var _ = server.closeFuture().addListener(future -> deadline.cancel(false));
        server.pipeline().addLast(slot);
        slot.ask("READ_REPLICATION_SLOT \"%s\"".formatted(name));
        server.config().setAutoRead(true);
    }

    private void ask(String command) {
        error = null;
        var _ = server.writeAndFlush(WalMessages.query(server.alloc(), command));
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        cutter.feed((ByteBuf) message, (tag, frame) -> {
            try {
                onFrame(tag, frame);
            } finally {
                frame.release();
            }
        });
    }

    private void onFrame(byte tag, ByteBuf frame) {
        switch (tag) {
            case WalMessages.DATA_ROW -> {
                if (step == Step.READ) {
                    @Nullable String[] row = WalMessages.row(frame);
                    there = row.length > 0 && row[0] != null;
                    keeps = row.length > 1 && row[1] != null;
                }
            }
            case WalMessages.ERROR -> error = WalMessages.error(frame);
            case WalMessages.READY -> onAnswered(error);
            default -> {
                // descriptions, completions, notices
            }
        }
    }

    private void onAnswered(@Nullable ServerError refusal) {
        switch (step) {
            case READ -> {
                if (refusal != null) {
                    finish(refusal);
                } else if (!there) {
                    create();
                } else if (anew || !keeps) {
                    step = Step.DROP;
                    ask("DROP_REPLICATION_SLOT \"%s\"".formatted(name));
                } else {
                    finish(null);
                }
            }
            case DROP -> {
                if (refusal == null || refusal.sqlState().equals(NOT_THERE)) {
                    create();
                } else {
                    // Its last stream has not quite ended: what the old one keeps is more than enough, if it keeps any.
                    finish(refusal.sqlState().equals(IN_USE) && keeps ? null : refusal);
                }
            }
            case CREATE -> finish(refusal != null && refusal.sqlState().equals(THERE_ALREADY) ? null : refusal);
        }
    }

    private void create() {
        step = Step.CREATE;
        ask("CREATE_REPLICATION_SLOT \"%s\" PHYSICAL (RESERVE_WAL true)".formatted(name));
    }

    private void finish(@Nullable ServerError refusal) {
        if (done) {
            return;
        }
        done = true;
        cutter.release();
        server.config().setAutoRead(false);
        var _ = server.pipeline().remove(this);
        if (refusal != null) {
            LOGGER.atWarn()
                    .addMarker(LogKeys.REPLICATION)
                    .addKeyValue("slot", name)
                    .addKeyValue(LogKeys.REASON, refusal)
                    .log("a member streams without a slot: WAL that it needs may be removed");
        }
        outcome.onReady(refusal == null);
    }

    private void fail(String reason) {
        if (!done) {
            done = true;
            cutter.release();
            RelayContext.close(server);
            outcome.onFailed(reason);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        fail("the server ended the connection while it was asked for a slot");
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        fail(Link.reason(cause));
    }
}
