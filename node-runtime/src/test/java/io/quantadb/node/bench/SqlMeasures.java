package io.quantadb.node.bench;

import java.io.IOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** What is measured alike on our cluster and on a bare pair, through one connection to the primary. */
final class SqlMeasures {
    private static final Duration DELIVERY_DEADLINE = Duration.ofMinutes(2);

    private SqlMeasures() {}

    /** Milliseconds that single-row commits took, one after another. */
    static double[] commitLatencyMs(Connection connection, int commits) throws SQLException {
        double[] out = new double[commits];
        try (Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE IF NOT EXISTS bench_commit (id int)");
            for (int i = -100; i < commits; i++) {
                long begun = System.nanoTime();
                statement.executeUpdate("INSERT INTO bench_commit VALUES (" + i + ")");
                if (i >= 0) {
                    out[i] = (System.nanoTime() - begun) / 1e6;
                }
            }
        }
        return out;
    }

    /**
     * MB of WAL a second while a standby catches up: its WAL receiver is stopped, {@code mb} megabytes are written, it is
     * let go on, and the time runs until it has flushed the last byte. Nothing but the channel and two disks takes part.
     */
    static double catchUpMbPerSecond(Connection primary, Connection standby, WalReceiver receiver, int mb)
            throws SQLException, IOException, InterruptedException {
        try (Statement write = primary.createStatement();
                Statement read = standby.createStatement()) {
            write.execute("CREATE TABLE IF NOT EXISTS bench_wal (id int)");
            String from;
            String to;
            long begun;
            receiver.pause();
            try {
                from = one(write, "SELECT pg_current_wal_insert_lsn()");
                for (int i = 0; i < mb; i++) {
                    one(write, "SELECT pg_logical_emit_message(false, 'bench', repeat('x', 1048576))");
                }
                write.execute("INSERT INTO bench_wal VALUES (1)");
                to = one(write, "SELECT pg_current_wal_flush_lsn()");
            } finally {
                begun = System.nanoTime();
                receiver.resume();
            }
            String there = "SELECT coalesce(pg_last_wal_receive_lsn() >= '" + to + "', false)";
            while (!one(read, there).equals("t")) {
                if (System.nanoTime() - begun > DELIVERY_DEADLINE.toNanos()) {
                    throw new SQLException("the standby did not flush the WAL up to %s in time".formatted(to));
                }
                TimeUnit.MILLISECONDS.sleep(2);
            }
            double seconds = (System.nanoTime() - begun) / 1e9;
            double bytes = Double.parseDouble(one(write, "SELECT '%s'::pg_lsn - '%s'::pg_lsn".formatted(to, from)));
            return bytes / seconds / (1 << 20);
        }
    }

    private static String one(Statement statement, String sql) throws SQLException {
        try (ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }
}
