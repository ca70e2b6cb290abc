/**
 * The local PostgreSQL server: found, given an unprivileged user, created, started as a direct child, promoted, stopped.
 *
 * <p>One start passes through so: {@link io.quantadb.node.postgres.BinaryFinder} finds the binaries and
 * {@link io.quantadb.node.postgres.ServerUser} the user who may run them; {@link io.quantadb.node.postgres.DataDirectory}
 * says what the data directory holds, and refuses a foreign one untouched; {@link io.quantadb.node.postgres.Bootstrap}
 * creates a new one; {@link io.quantadb.node.postgres.PostgresServer} ends what an earlier agent left, writes the
 * configuration that {@link io.quantadb.node.postgres.ServerSettings} renders, and starts the postmaster from
 * {@link io.quantadb.node.postgres.ChildSpawner}'s thread. From then on the server's log is read line by line, its exit
 * is told within milliseconds, and {@link io.quantadb.node.postgres.PostgresServer#promote} or {@code stop} ends the
 * story.
 *
 * <p>Everything here blocks and is called from virtual threads; every wait has a deadline.
 */
@NullMarked
package io.quantadb.node.postgres;

import org.jspecify.annotations.NullMarked;
