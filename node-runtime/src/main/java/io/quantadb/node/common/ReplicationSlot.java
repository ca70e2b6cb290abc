package io.quantadb.node.common;

/**
 * A physical replication slot as its server shows it.
 *
 * @param active a stream uses it now, and moves it
 * @param lost it keeps no WAL any more, having asked for more than the server's bound; it never will again
 * @param restart where the oldest WAL that it keeps begins; {@link Lsn#NONE} when it keeps none
 */
public record ReplicationSlot(String name, boolean active, boolean lost, Lsn restart) {}
