package io.quantadb.node.process;

import io.quantadb.node.bench.HeldStreams;
import io.quantadb.node.cli.DemoNode;
import io.quantadb.node.pgwire.PgConnection;
import java.time.Duration;

/** Gives a primary WAL that nobody else has, and kills it. */
final class Divergence {
    /** Rows of it with id 7 are on the primary alone, and acknowledged to nobody. */
    static final String TABLE = "lost_with_the_old_primary";

    private static final Duration SOON = Duration.ofSeconds(20);

    private Divergence() {}

    static void of(TestingThree cluster, DemoNode primary, Writes writes) throws Exception {
        try (PgConnection session = cluster.behind(primary)) {
            session.queryAll("SET synchronous_commit = local", SOON);
            session.queryAll("CREATE TABLE IF NOT EXISTS %s (id bigint)".formatted(TABLE), SOON);
        }
        // What is acknowledged after it says that a standby has it, and that one will be the successor.
        writes.awaitAcknowledgedAfter(System.nanoTime());
        HeldStreams held = cluster.holdStreams(primary);
        try (PgConnection session = cluster.behind(primary)) {
            session.queryAll("SET synchronous_commit = local", SOON);
            session.queryAll("INSERT INTO %s SELECT 7 FROM generate_series(1, 1000)".formatted(TABLE), SOON);
        } finally {
            cluster.kill(primary);
            held.close();
        }
    }
}
