package io.quantadb.node.verify;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeException;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.pgwire.PgConnection;
import io.quantadb.node.pgwire.PgError;
import io.quantadb.node.pgwire.PgUnreachable;
import io.quantadb.node.pgwire.QueryResult;
import io.quantadb.node.pgwire.SqlState;
import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads one database of one node over a session that may change nothing. The session's settings are such that every node
 * turns equal values into equal text, whatever its files or roles say. One thread.
 */
public final class SqlReader implements NodeReader {
    private static final Duration DEADLINE = Duration.ofSeconds(90);

    /**
     * Ranges of blocks are read without the help of an index or of further processes, and no lock is waited for longer
     * than a moment: a statement that waits would hold others up.
     */
    private static final String SETTINGS = """
            SET default_transaction_read_only = on; SET row_security = off; SET search_path = pg_catalog;
            SET DateStyle = 'ISO, MDY'; SET IntervalStyle = 'postgres'; SET TimeZone = 'UTC'; SET bytea_output = 'hex';
            SET extra_float_digits = 1; SET lc_monetary = 'C'; SET quote_all_identifiers = off; SET xmlbinary = 'base64';
            SET statement_timeout = '60s'; SET lock_timeout = '2s'; SET idle_in_transaction_session_timeout = 0;
            SET max_parallel_workers_per_gather = 0; SET enable_seqscan = off; SET enable_bitmapscan = off;
            SET jit = off
            """;

    private static final String TABLES = """
            SELECT n.nspname, c.relname, coalesce(pg_relation_size(c.oid, 'main'), 0), current_setting('block_size'),
                   CASE WHEN c.relpersistence <> 'p' THEN 'it is unlogged: only the primary has its rows'
                        WHEN a.amname IS DISTINCT FROM 'heap' THEN 'its access method is not heap'
                        WHEN c.relkind = 'm' AND NOT c.relispopulated THEN 'it is not populated'
                        ELSE '' END
            FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace LEFT JOIN pg_am AS a ON a.oid = c.relam
            WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't'
              AND (n.nspname <> 'pg_catalog' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_(toast|temp)'
                   OR c.oid = 'pg_largeobject'::regclass AND has_table_privilege(c.oid, 'SELECT')
                      AND pg_relation_size(c.oid, 'main') > 0)
            ORDER BY 1, 2
            """;

    private final NodeId node;
    private final PgConnection session;
    private @Nullable Duration flushDelay;

    private SqlReader(NodeId node, PgConnection session) {
        this.node = node;
        this.session = session;
    }

    /** Opens a session by the supplier and prepares it. */
    public static SqlReader open(NodeId node, Supplier<PgConnection> sessions) {
        return guarded(node, () -> {
            PgConnection session = sessions.get();
            try {
                var _ = session.queryAll(SETTINGS, DEADLINE);
                return new SqlReader(node, session);
            } catch (RuntimeException e) {
                session.close();
                throw e;
            }
        });
    }

    @Override
    public NodeId node() {
        return node;
    }

    /** The databases of the server that take connections and are not templates. */
    public List<String> databases() {
        return guarded(
                node,
                () -> session
                        .query(
                                "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY datname",
                                DEADLINE)
                        .rows()
                        .stream()
                        .map(row -> text(row, 0))
                        .toList());
    }

    @Override
    public List<TableRef> tables() {
        return guarded(node, () -> {
            List<TableRef> out = new ArrayList<>();
            for (List<@Nullable String> row : session.query(TABLES, DEADLINE).rows()) {
                out.add(new TableRef(
                        text(row, 0),
                        text(row, 1),
                        Long.parseLong(text(row, 2)),
                        Integer.parseInt(text(row, 3)),
                        text(row, 4)));
            }
            return out;
        });
    }

    @Override
    public Digest digest(TableRef table, BlockRange range) {
        String sql = """
                SELECT count(*), coalesce(sum(hash), 0), coalesce(sum(octets), 0)
                FROM (SELECT hashtextextended(words, 0) AS hash, octet_length(words) AS octets FROM %s) AS d
                """.formatted(rowsOf(table, range));
        return guarded(node, () -> {
            List<@Nullable String> row = session.query(sql, DEADLINE).rows().getFirst();
            return new Digest(
                    Long.parseLong(text(row, 0)),
                    // The server adds without bound; what wraps around is as good to compare and fits.
                    new BigInteger(text(row, 1)).longValue(),
                    Long.parseLong(text(row, 2)));
        });
    }

    @Override
    public Reading rows(TableRef table, BlockRange range) {
        String sql = """
                BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
                SELECT pg_snapshot_xmin(s)::text, pg_snapshot_xmax(s)::text FROM pg_current_snapshot() AS s;
                SELECT place::text, writer::text, ender = '0'::xid, hashtextextended(words, 0) FROM %s;
                COMMIT
                """.formatted(rowsOf(table, range));
        return guarded(node, () -> {
            List<QueryResult> results = inTransaction(sql);
            List<@Nullable String> snapshot = results.get(1).rows().getFirst();
            Map<RowVersion, Boolean> rows = new HashMap<>();
            for (List<@Nullable String> row : results.get(2).rows()) {
                rows.put(
                        RowVersion.of(text(row, 0), text(row, 1), text(row, 3)),
                        text(row, 2).equals("t"));
            }
            return new Reading(rows, Long.parseLong(text(snapshot, 0)), Long.parseLong(text(snapshot, 1)));
        });
    }

    private List<QueryResult> inTransaction(String sql) {
        try {
            return session.queryAll(sql, DEADLINE);
        } catch (PgError e) {
            if (session.isOpen()) {
                var _ = session.query("ROLLBACK", DEADLINE);
            }
            throw e;
        }
    }

    /** Place, transaction and contents of a row as one text; {@code OFFSET 0} keeps that from being made twice. */
    private static String rowsOf(TableRef table, BlockRange range) {
        String end = range.open() ? "" : " AND r.ctid < '(%d,0)'".formatted(range.to());
        return """
                (SELECT r.ctid AS place, r.xmin AS writer, r.xmax AS ender,
                        (r.ctid::text || ' ' || r.xmin::text || ' ' || (r.*)::text) COLLATE "C" AS words
                 FROM ONLY %s AS r WHERE r.ctid >= '(%d,0)'%s OFFSET 0) AS w
                """.formatted(table.quoted(), range.from(), end);
    }

    @Override
    public Lsn written() {
        return position("pg_current_wal_insert_lsn()");
    }

    @Override
    public Lsn flushed() {
        return position("pg_current_wal_flush_lsn()");
    }

    @Override
    public Duration flushDelay() {
        Duration known = flushDelay;
        if (known == null) {
            // The WAL writer flushes what nobody waits for after three of its rounds at the latest.
            known = guarded(
                    node,
                    () -> Duration.ofMillis(500
                            + 3
                                    * Long.parseLong(session.query(
                                                    "SELECT setting FROM pg_settings WHERE name = 'wal_writer_delay'",
                                                    DEADLINE)
                                            .single())));
            flushDelay = known;
        }
        return known;
    }

    @Override
    public Lsn replayed() {
        return position("pg_last_wal_replay_lsn()");
    }

    private Lsn position(String function) {
        return guarded(node, () -> {
            String text = session.query("SELECT " + function, DEADLINE).singleOrNull();
            return text == null ? Lsn.NONE : Lsn.parse(text);
        });
    }

    private static String text(List<@Nullable String> row, int column) {
        return Objects.requireNonNull(row.get(column), "a value that is never null");
    }

    private static <T> T guarded(NodeId node, Supplier<T> work) {
        try {
            return work.get();
        } catch (PgError e) {
            throw failure(node, e);
        } catch (PgUnreachable | NodeException e) {
            throw new ReadFailure.Lost(node, String.valueOf(e.getMessage()), e);
        }
    }

    /** Sorts what a server said by its SQLSTATE. */
    static ReadFailure failure(NodeId node, PgError error) {
        String state = error.sqlState();
        String words = error.report().message();
        if (!error.report().severity().equals("ERROR")) {
            return new ReadFailure.Lost(node, words, error);
        }
        return switch (state) {
            // A standby ends statements that are in the way of its replay with 40001.
            case "40001", "40P01", "55P03", SqlState.QUERY_CANCELED -> new ReadFailure.Passing(node, words, error);
            case "42P01", "3F000" -> new ReadFailure.Gone(node, words, error);
            default ->
                state.startsWith("XX") || state.startsWith("58")
                        ? new ReadFailure.Damaged(node, words, error)
                        : new ReadFailure.Refused(node, words, error);
        };
    }

    @Override
    public void close() {
        session.close();
    }
}
