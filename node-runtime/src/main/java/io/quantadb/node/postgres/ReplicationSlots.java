package io.quantadb.node.postgres;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeException;
import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.common.ReplicationSlot;
import io.quantadb.node.common.SlotNames;
import io.quantadb.node.pgwire.PgConnection;
import io.quantadb.node.pgwire.PgError;
import io.quantadb.node.pgwire.PgUnreachable;
import io.quantadb.node.pgwire.QueryResult;
import io.quantadb.node.pgwire.SqlState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The cluster's physical replication slots on this node's server, over a session of their own: making one waits for the
 * disk, and nothing that a failover asks may wait behind it.
 *
 * <p>One thread uses it. Every method fails with a {@link NodeException} while no server takes connections, and the next
 * call opens another session; a {@link LocalFault} has the server's words when it refuses.
 */
public final class ReplicationSlots implements AutoCloseable {
    private static final Duration DEADLINE = Duration.ofSeconds(10);
    private static final String APPLICATION = "quantadb slots";
    private static final long MEGABYTE = 1L << 20;

    private final AgentSessions sessions;
    private @Nullable PgConnection kept;

    public ReplicationSlots(AgentSessions sessions) {
        this.sessions = sessions;
    }

    /**
     * What the server says at one moment.
     *
     * @param end the end of its WAL, or how far a standby has applied
     * @param boundBytes {@code max_slot_wal_keep_size}; negative when there is none
     * @param voiceIsHeard whether commits would be released by the voice: its stream is there and has caught up
     */
    public record Listing(
            boolean inRecovery, Lsn end, long boundBytes, boolean voiceIsHeard, List<ReplicationSlot> slots) {
        public Listing {
            slots = List.copyOf(slots);
        }
    }

    public Listing list() {
        List<QueryResult> answers = run("SELECT pg_is_in_recovery(),"
                + " CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,"
                + " (SELECT setting FROM pg_settings WHERE name = 'max_slot_wal_keep_size'),"
                + " EXISTS (SELECT FROM pg_stat_replication WHERE application_name = '" + ServerConfig.VOICE_NAME
                + "' AND state = 'streaming');"
                + " SELECT slot_name, active, coalesce(wal_status, 'lost') = 'lost', restart_lsn"
                + " FROM pg_replication_slots WHERE slot_type = 'physical' AND starts_with(slot_name::text, '"
                + SlotNames.PREFIX + "')");
        List<@Nullable String> server = answers.getFirst().rows().getFirst();
        long bound = Long.parseLong(String.valueOf(server.get(2)));
        List<ReplicationSlot> slots = new ArrayList<>();
        for (List<@Nullable String> row : answers.getLast().rows()) {
            slots.add(new ReplicationSlot(
                    String.valueOf(row.get(0)), "t".equals(row.get(1)), "t".equals(row.get(2)), lsn(row.get(3))));
        }
        return new Listing(
                "t".equals(server.get(0)),
                lsn(server.get(1)),
                bound < 0 ? -1 : bound * MEGABYTE,
                "t".equals(server.get(3)),
                slots);
    }

    /** Nothing when there is one already: a stream that is being opened makes it too. */
    public void create(String name) {
        var _ = run(
                "SELECT pg_create_physical_replication_slot('%s', true)".formatted(name), SqlState.DUPLICATE_OBJECT);
    }

    /** Nothing when there is none. */
    public void drop(String name) {
        var _ = run("SELECT pg_drop_replication_slot('%s')".formatted(name), SqlState.UNDEFINED_OBJECT);
    }

    /** Lets go of WAL before this; never goes back, nor beyond what the server has applied. */
    public void advance(String name, Lsn to) {
        var _ = run("SELECT pg_replication_slot_advance('%s', '%s')".formatted(name, to));
    }

    private List<QueryResult> run(String sql) {
        return run(sql, "");
    }

    /**
     * Names come from {@link SlotNames} alone, which leaves nothing in them to quote.
     *
     * @param harmless the SQLSTATE that says that all is as it was asked for
     */
    private List<QueryResult> run(String sql, String harmless) {
        try {
            PgConnection session = kept;
            if (session == null || !session.isOpen()) {
                session = sessions.open("postgres", APPLICATION);
                kept = session;
            }
            return session.queryAll(sql, DEADLINE);
        } catch (PgError e) {
            if (e.sqlState().equals(harmless)) {
                return List.of();
            }
            throw new LocalFault("PostgreSQL refused: " + e.getMessage(), e);
        } catch (PgUnreachable e) {
            throw new LocalFault(String.valueOf(e.getMessage()), e);
        }
    }

    private static Lsn lsn(@Nullable String text) {
        return text == null ? Lsn.NONE : Lsn.parse(text);
    }

    @Override
    public void close() {
        if (kept != null) {
            kept.close();
            kept = null;
        }
    }
}
