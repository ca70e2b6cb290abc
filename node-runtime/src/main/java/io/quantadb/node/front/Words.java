package io.quantadb.node.front;

import io.quantadb.node.common.HostPort;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/** The front's sentences to clients in one place, and texts made safe for the log. */
final class Words {
    static final String READ_ONLY = "cannot execute write queries on replica node";

    private Words() {}

    /** A replica's refusal of a write, in the cluster's words; PostgreSQL's own become the detail. */
    static Report readOnly(Report original, FrontView view, int primaryPort) {
        String detail = original.get(Report.MESSAGE);
        Report changed = original.with(Report.MESSAGE, READ_ONLY);
        if (detail != null) {
            changed = changed.with(Report.DETAIL, detail);
        }
        return changed.with(Report.HINT, primaryHint(view, primaryPort));
    }

    static String primaryHint(FrontView view, int primaryPort) {
        FrontView.Primary primary = view.primary();
        String where = primary == null
                ? "No primary is known right now."
                : "The primary is node %s at %s.".formatted(primary.node(), primary.sql());
        return where + " Port " + primaryPort + " of any node follows the primary.";
    }

    static Report noPrimary(String reason) {
        return Report.fatal("57P03", "no primary is available right now; try again in a moment", reason, null);
    }

    static Report notServing(String reason) {
        return Report.fatal("57P03", "this node is not serving right now; try again in a moment", reason, null);
    }

    static Report tooMany(String detail) {
        return Report.fatal("53300", "sorry, too many clients already", detail, null);
    }

    static Report cut(String reason) {
        return Report.fatal(
                "57P01", "terminating connection: this node is no longer the primary", reason, "Connect again.");
    }

    /** The same for a session with an open transaction that cannot have been committed. */
    static Report notCommitted(String reason) {
        return Report.fatal(
                "40001",
                "terminating connection: the transaction was rolled back, as this node is no longer the primary",
                reason,
                "Connect again and repeat the transaction.");
    }

    static Report lost(String what) {
        return Report.fatal("08006", "terminating connection: " + what, null, "Connect again.");
    }

    static Report answersHeld() {
        return Report.fatal(
                "08007",
                "transaction resolution unknown: a commit on this server was not confirmed by other nodes in time",
                "A commit's wait for acknowledgement was cancelled, and what it changed may be lost in a failover.",
                "Connect again and look whether the work was done.");
    }

    static String address(@Nullable SocketAddress address) {
        return address instanceof InetSocketAddress inet && inet.getAddress() != null
                ? new HostPort(inet.getAddress().getHostAddress(), Math.max(1, inet.getPort())).toString()
                : String.valueOf(address);
    }

    /** A client's text without control characters, cut to a length. */
    static String printable(String text, int lengthMax) {
        var out = new StringBuilder(Math.min(text.length(), lengthMax));
        for (int i = 0; i < text.length() && out.length() < lengthMax; i++) {
            char c = text.charAt(i);
            out.append(c < ' ' || c == 0x7F ? '?' : c);
        }
        return out.toString();
    }
}
