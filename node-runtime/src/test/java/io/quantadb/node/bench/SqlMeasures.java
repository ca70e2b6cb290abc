package io.quantadb.node.bench;

import java.io.IOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** What is measured alike on our cluster and on a bare pair, through one connection to the primary. */
final class SqlMeasures {
    private static final Duration DELIVERY_DEADLINE = Duration.ofMinutes(2);

    /** A hundredth of what is measured; asking more often would load an agent, through which the question goes. */
    private static final long ASK_EVERY_MS = 10;

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
     * Begins a round like every other: what was written before is in the data files of both servers, so that no checkpoint
     * of their own falls into it, and WAL files that are not needed any more lie ready to be written again, as they do on
     * every server that has run for a while.
     */
    static void settle(Connection primary, Connection standby) throws SQLException, InterruptedException {
        try (Statement write = primary.createStatement();
                Statement read = standby.createStatement()) {
            write.execute("CHECKPOINT");
            String to = text(write, "SELECT pg_current_wal_flush_lsn()");
            await(
                    read,
                    "SELECT coalesce(pg_last_wal_replay_lsn() >= '" + to + "', false)",
                    "replay the WAL up to " + to);
            // On a standby this makes the primary's last checkpoint its own.
            read.execute("CHECKPOINT");
        }
    }

    /** The process that sends WAL to the standby whose stream's application_name is like this. */
    static long walSender(Connection primary, String like) throws SQLException {
        try (Statement ask = primary.createStatement()) {
            return Long.parseLong(text(
                    ask,
                    "SELECT pid FROM pg_stat_replication WHERE state = 'streaming' AND application_name LIKE '" + like
                            + "'"));
        }
    }

    /**
     * What a standby needed to catch up.
     *
     * @param cpuMillis what each group of processes that was asked for has computed meanwhile
     * @param busyPercent how busy all cores were
     */
    record CatchUp(double megabytes, double seconds, List<Double> cpuMillis, double busyPercent) {
        double cpuMillisPerMegabyte(int group) {
            return cpuMillis.get(group) / megabytes;
        }
    }

    /**
     * A standby catches up: its WAL receiver is stopped, {@code mb} megabytes are written, it is
     * let go on, and the time runs until it has flushed the last byte. Nothing but the channel and two disks takes part.
     */
    static CatchUp catchUp(
            Connection primary, Connection standby, WalReceiver receiver, List<ProcessCpu> watched, int mb)
            throws SQLException, IOException, InterruptedException {
        try (Statement write = primary.createStatement();
                Statement read = standby.createStatement()) {
            write.execute("CREATE TABLE IF NOT EXISTS bench_wal (id int)");
            String from;
            String to;
            long begun;
            List<Double> before = List.of();
            CpuMeter cores = new CpuMeter();
            receiver.pause();
            try {
                from = text(write, "SELECT pg_current_wal_insert_lsn()");
                for (int i = 0; i < mb; i++) {
                    text(write, "SELECT pg_logical_emit_message(false, 'bench', repeat('x', 1048576))");
                }
                write.execute("INSERT INTO bench_wal VALUES (1)");
                to = text(write, "SELECT pg_current_wal_flush_lsn()");
                before = millis(watched);
                cores.busyPercent();
            } finally {
                begun = System.nanoTime();
                receiver.resume();
            }
            String there = "SELECT coalesce(pg_last_wal_receive_lsn() >= '" + to + "', false)";
            await(read, there, "flush the WAL up to " + to);
            double seconds = (System.nanoTime() - begun) / 1e9;
            double busyPercent = cores.busyPercent();
            List<Double> spent = new ArrayList<>(millis(watched));
            for (int i = 0; i < spent.size(); i++) {
                spent.set(i, spent.get(i) - before.get(i));
            }
            double bytes = Double.parseDouble(text(write, "SELECT '%s'::pg_lsn - '%s'::pg_lsn".formatted(to, from)));
            return new CatchUp(bytes / (1 << 20), seconds, spent, busyPercent);
        }
    }

    /** Asks until the answer is yes. */
    private static void await(Statement standby, String question, String what)
            throws SQLException, InterruptedException {
        long begun = System.nanoTime();
        while (!"t".equals(text(standby, question))) {
            if (System.nanoTime() - begun > DELIVERY_DEADLINE.toNanos()) {
                throw new SQLException("the standby did not %s within %s".formatted(what, DELIVERY_DEADLINE));
            }
            TimeUnit.MILLISECONDS.sleep(ASK_EVERY_MS);
        }
    }

    private static List<Double> millis(List<ProcessCpu> watched) throws IOException {
        List<Double> out = new ArrayList<>();
        for (ProcessCpu one : watched) {
            out.add(one.millis());
        }
        return out;
    }

    /** The first column of the first row. */
    private static String text(Statement statement, String sql) throws SQLException {
        try (ResultSet row = statement.executeQuery(sql)) {
            String text = row.next() ? row.getString(1) : null;
            if (text == null) {
                throw new SQLException("no answer to: " + sql);
            }
            return text;
        }
    }
}
