package io.quantadb.node.front;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import org.jspecify.annotations.Nullable;

/**
 * Sends a session's answers to its client, and looks at the few that concern the cluster: the key for cancel requests,
 * errors to be put in the cluster's words, the warning of a cancelled wait, a name that only the voice may bear, and
 * whether a transaction is open.
 * Confined to its session's event loop.
 */
// a write that fails ends its channel, and that end is heard
@SuppressWarnings("FutureReturnValueIgnored")
final class AnswerInspector implements FrameScanner.Sink, FrameScanner.Interest {
    private static final int REPORT_LENGTH_MAX = 64 * 1024;
    private static final int KEY_LENGTH_MAX = 4 + 4 + CancelKey.KEY_BYTES_MAX;
    private static final int SETTING_LENGTH_MAX = 1024;
    private static final String READ_ONLY_TRANSACTION = "25006";

    private final Session session;
    private final Channel client;
    private final Session.Owner owner;
    private final Turns turns;
    private boolean saidFatal;

    AnswerInspector(Session session, Channel client, Session.Owner owner, Turns turns) {
        this.session = session;
        this.client = client;
        this.owner = owner;
        this.turns = turns;
    }

    /** Whether the server itself told the client why the connection ends. */
    boolean saidFatal() {
        return saidFatal;
    }

    /** Which messages are looked at whole. */
    @Override
    public boolean wants(byte tag, int length) {
        return switch (tag) {
            case Report.ERROR, Report.NOTICE -> length <= REPORT_LENGTH_MAX;
            case 'K' -> length <= KEY_LENGTH_MAX;
            case 'S' -> session.setup().replication() && length <= SETTING_LENGTH_MAX;
            default -> false;
        };
    }

    @Override
    public boolean peeks(byte tag, int length) {
        return tag == Turns.READY && length == 5;
    }

    @Override
    public void peeked(byte tag, byte first) {
        turns.onReady(first);
    }

    @Override
    public void raw(ByteBuf bytes) {
        client.write(bytes);
    }

    @Override
    public boolean message(byte tag, ByteBuf whole) {
        return switch (tag) {
            case 'K' -> key(whole);
            case 'S' -> setting(whole);
            case Turns.READY -> ready(whole);
            default -> report(whole);
        };
    }

    private boolean ready(ByteBuf whole) {
        turns.onReady(whole.getByte(whole.writerIndex() - 1));
        client.write(whole);
        return true;
    }

    private boolean key(ByteBuf whole) {
        CancelKey key = CancelKey.ofKeyData(whole);
        if (key != null) {
            owner.onKey(session, key);
        }
        client.write(whole);
        return true;
    }

    private boolean setting(ByteBuf whole) {
        if (!SessionGuard.claimsVoice(whole)) {
            client.write(whole);
            return true;
        }
        whole.release();
        owner.onVoiceNameClaimed(session);
        session.abort(Report.fatal("28000", "a replication connection may not bear this name", null, null));
        return false;
    }

    private boolean report(ByteBuf whole) {
        Report report = Report.parse(whole);
        boolean relayed = session.setup().gate() == null;
        if (report == null) {
            client.write(whole);
            return true;
        }
        saidFatal |= report.endsTheConnection();
        if (!relayed && report.tag() == Report.NOTICE && SessionGuard.isCancelledWait(report)) {
            // all answers are held before the client can see this one's completion
            owner.onWaitCancelled(session);
            client.write(whole);
            return false;
        }
        Report changed = relayed || report.tag() == Report.NOTICE ? null : inTheClustersWords(report);
        if (changed == null) {
            client.write(whole);
        } else {
            whole.release();
            client.write(changed.encode(client.alloc()));
        }
        return true;
    }

    private @Nullable Report inTheClustersWords(Report error) {
        if (SessionGuard.isLoweredCommitError(error)) {
            return SessionGuard.loweredCommit(error);
        }
        boolean onStandby = session.boundEpoch() == 0;
        return onStandby && READ_ONLY_TRANSACTION.equals(error.get(Report.CODE)) ? owner.readOnly(error) : null;
    }
}
