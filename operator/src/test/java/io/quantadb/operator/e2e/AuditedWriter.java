package io.quantadb.operator.e2e;

import io.fabric8.kubernetes.client.KubernetesClientException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashSet;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Inserts numbered rows one after the other, connects anew when it must, and remembers which were acknowledged and how
 * long it went without. The audit reads the table back: every acknowledged row must be there, once.
 */
final class AuditedWriter implements AutoCloseable {
    /** What the audit found. */
    record Audit(int acknowledged, int lost, int duplicated, Duration longestGap) {}

    private static final Duration PAUSE = Duration.ofMillis(5);
    private static final Duration AUDIT_CONNECTS_WITHIN = Duration.ofSeconds(30);

    private final Reach.Door door;
    private final Properties login = new Properties();
    private final Thread thread;
    private final Set<Integer> acknowledged = new TreeSet<>();
    private volatile boolean stopping;
    private long lastAckNanos;
    private long longestGapNanos;

    AuditedWriter(Reach.Door door, String user, String password) {
        this.door = door;
        login.setProperty("user", user);
        login.setProperty("password", password);
        login.setProperty("connectTimeout", "2");
        login.setProperty("socketTimeout", "3");
        login.setProperty("loginTimeout", "3");
        this.thread = new Thread(this::run, "audited-writer");
    }

    /** Makes an empty table and starts writing; returns when the first rows are acknowledged. */
    AuditedWriter start() throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            statement.execute("drop table if exists audited");
            statement.execute("create table audited (id int)");
        }
        thread.start();
        return this;
    }

    Connection connect() throws SQLException {
        return DriverManager.getConnection("jdbc:postgresql://" + door.address() + "/app", login);
    }

    /** A Service may lead to a pod that is gone for as long as nobody takes it out of the endpoints. */
    private Connection connectWithin(Duration deadline) throws SQLException {
        long end = System.nanoTime() + deadline.toNanos();
        while (true) {
            try {
                return connect();
            } catch (SQLException e) {
                if (System.nanoTime() - end > 0) {
                    throw e;
                }
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
            }
        }
    }

    synchronized int acknowledgedCount() {
        return acknowledged.size();
    }

    private void run() {
        int id = 0;
        while (!stopping) {
            try (Connection connection = connect();
                    PreparedStatement insert = connection.prepareStatement("insert into audited values (?)")) {
                while (!stopping) {
                    insert.setInt(1, ++id);
                    insert.executeUpdate();
                    acknowledge(id);
                    LockSupport.parkNanos(PAUSE.toNanos());
                }
            } catch (SQLException | KubernetesClientException e) {
                // Expected while there is no primary; the row's fate is unknown, and the next gets a number of its own.
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
            }
        }
    }

    private synchronized void acknowledge(int id) {
        acknowledged.add(id);
        long now = System.nanoTime();
        if (lastAckNanos != 0) {
            longestGapNanos = Math.max(longestGapNanos, now - lastAckNanos);
        }
        lastAckNanos = now;
    }

    /** Stops writing and compares what was acknowledged with what is there. */
    Audit audit() throws SQLException, InterruptedException {
        close();
        Set<Integer> found = new HashSet<>();
        int duplicated = 0;
        try (Connection connection = connectWithin(AUDIT_CONNECTS_WITHIN);
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("select id from audited")) {
            while (rows.next()) {
                duplicated += found.add(rows.getInt(1)) ? 0 : 1;
            }
        }
        synchronized (this) {
            int lost = (int)
                    acknowledged.stream().filter(id -> !found.contains(id)).count();
            return new Audit(acknowledged.size(), lost, duplicated, Duration.ofNanos(longestGapNanos));
        }
    }

    @Override
    public void close() throws InterruptedException {
        stopping = true;
        thread.join(Duration.ofSeconds(15));
    }
}
