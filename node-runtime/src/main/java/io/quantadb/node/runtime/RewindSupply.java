package io.quantadb.node.runtime;

import io.quantadb.node.common.LogKeys;
import io.quantadb.node.common.NodeException.Busy;
import io.quantadb.node.pgwire.PgConnection;
import io.quantadb.node.postgres.PostgresServer;
import io.quantadb.node.postgres.ServerConfig;
import io.quantadb.node.relay.RewindSource;
import io.quantadb.node.wal.ControlFile;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes this node's server one that others can rewind by: a role that may read the data directory's files and nothing
 * else, and, before PostgreSQL 16, a checkpoint on the timeline that it writes, since pg_rewind takes the timeline of the
 * last checkpoint for the server's. Any thread.
 */
final class RewindSupply implements RewindSource {
    private static final Logger LOGGER = LoggerFactory.getLogger(RewindSupply.class);
    private static final Duration QUICK = Duration.ofSeconds(10);
    private static final Duration CHECKPOINT = Duration.ofMinutes(10);
    private static final String DATABASE = "postgres";
    private static final String FUNCTIONS = "pg_catalog.pg_ls_dir(text, boolean, boolean),"
            + " pg_catalog.pg_stat_file(text, boolean),"
            + " pg_catalog.pg_read_binary_file(text),"
            + " pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean)";

    private final PostgresServer server;
    private final AtomicBoolean checkpointing = new AtomicBoolean();

    RewindSupply(PostgresServer server) {
        this.server = server;
    }

    @Override
    public Login prepare() {
        try (PgConnection session = server.sessions().open(DATABASE, "quantadb rewind")) {
            if (server.config().binaries().major() < 16) {
                requireCheckpoint(session);
            }
            if (session.query(ALLOWED, QUICK).singleOrNull() == null) {
                // It waits for nobody: no client sees it, and the copy that it is for is made of this server alone.
                var _ = session.queryAll("SET synchronous_commit = local", QUICK);
                var _ = session.queryAll("SET default_transaction_read_only = off", QUICK);
                var _ = session.queryAll(CREATE, QUICK);
            }
        }
        return new Login(ServerConfig.REWIND_ROLE, DATABASE);
    }

    /** A row when the role is there and may do all. */
    private static final String ALLOWED = "SELECT 1 FROM pg_catalog.pg_roles r WHERE r.rolname = '"
            + ServerConfig.REWIND_ROLE + "' AND r.rolcanlogin AND has_function_privilege(r.oid,"
            + " 'pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean)', 'EXECUTE')";

    private static final String CREATE = "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = '"
            + ServerConfig.REWIND_ROLE + "') THEN CREATE ROLE " + ServerConfig.REWIND_ROLE
            + " NOINHERIT; END IF; END $$; ALTER ROLE " + ServerConfig.REWIND_ROLE
            + " LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD NULL;"
            + " GRANT EXECUTE ON FUNCTION " + FUNCTIONS + " TO " + ServerConfig.REWIND_ROLE;

    private void requireCheckpoint(PgConnection session) {
        String writes = session.query("SELECT substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)", QUICK)
                .single();
        int onDisk = ControlFile.read(server.config().dataDirectory()).checkpointTimeline();
        if (Integer.parseUnsignedInt(writes, 16) == onDisk) {
            return;
        }
        if (checkpointing.compareAndSet(false, true)) {
            LOGGER.atInfo()
                    .addMarker(LogKeys.REPLICATION)
                    .addKeyValue(LogKeys.TIMELINE, Integer.parseUnsignedInt(writes, 16))
                    .log("writing a checkpoint, which a member needs to rewind by this server");
            Thread.ofVirtual().name("quantadb-rewind-checkpoint").start(this::checkpoint);
        }
        throw new Busy("its server writes the checkpoint that a rewind needs");
    }

    private void checkpoint() {
        try (PgConnection session = server.sessions().open(DATABASE, "quantadb rewind checkpoint")) {
            var _ = session.queryAll("CHECKPOINT", CHECKPOINT);
        } catch (RuntimeException e) {
            LOGGER.atWarn()
                    .addMarker(LogKeys.REPLICATION)
                    .addKeyValue(LogKeys.REASON, e.getMessage())
                    .log("the checkpoint that a member needs to rewind was not written; it is tried again when asked");
        } finally {
            checkpointing.set(false);
        }
    }
}
