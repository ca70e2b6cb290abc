package io.quantadb.node.bench;

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

    /** MB of WAL a second, from the first byte written until every standby that streams has flushed the last. */
    static double walMbPerSecond(Connection connection, int mb) throws SQLException, InterruptedException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("SET synchronous_commit = local");
            statement.execute("DROP TABLE IF EXISTS bench_wal");
            statement.execute("CREATE TABLE bench_wal (pad text)");
            String from = one(statement, "SELECT pg_current_wal_insert_lsn()");
            long begun = System.nanoTime();
            for (int i = 0; i < mb; i++) {
                // About one MB of WAL: 120 rows of 8 kB that do not compress.
                statement.execute("INSERT INTO bench_wal SELECT string_agg(md5(random()::text), '')"
                        + " FROM generate_series(1, 120) AS row, generate_series(1, 240) GROUP BY row");
            }
            String to = one(statement, "SELECT pg_current_wal_insert_lsn()");
            String behind = "SELECT count(*) FROM pg_stat_replication WHERE application_name <> 'quantadb_voice'"
                    + " AND (flush_lsn IS NULL OR flush_lsn < '" + to + "')";
            while (!one(statement, behind).equals("0")) {
                if (System.nanoTime() - begun > DELIVERY_DEADLINE.toNanos()) {
                    throw new SQLException("the standbys did not flush the WAL in time");
                }
                TimeUnit.MILLISECONDS.sleep(5);
            }
            double seconds = (System.nanoTime() - begun) / 1e9;
            double bytes = Double.parseDouble(one(statement, "SELECT '%s'::pg_lsn - '%s'::pg_lsn".formatted(to, from)));
            statement.execute("RESET synchronous_commit");
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
