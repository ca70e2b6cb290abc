package io.quantadb.node.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;

/** A running cluster that a bench writes to and strikes: ours, or a peer's. */
interface Contender extends AutoCloseable {
    /** As the table names it. */
    String name();

    /** Everything of it that must be equal for two rounds to be of one table. */
    String settings();

    /** Who must acknowledge a commit. */
    String mode();

    /** Whether our goals are its goals. */
    boolean judged();

    /** For how long it may be away before the bench waits no more. */
    default Duration backDeadline() {
        return Duration.ofSeconds(30);
    }

    ClusterSql sql() throws IOException;

    /** A URL for pgbench, which follows the primary. */
    String url();

    /** Where a load may keep its log. */
    Path folder();

    /**
     * Waits until every node does its part.
     *
     * @return a number that rises by one with every primary
     */
    long awaitReady() throws IOException, InterruptedException;

    /** The same number, now. */
    long epoch() throws IOException, InterruptedException;

    /** Prepared for the primary of this moment. */
    Blow blow(Scenario scenario) throws IOException, InterruptedException;

    /** What a reader of the table must know of it. */
    void describe(ObjectNode header) throws IOException, InterruptedException;

    @Override
    void close();
}
