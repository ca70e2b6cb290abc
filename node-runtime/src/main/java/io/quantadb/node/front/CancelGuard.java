package io.quantadb.node.front;

/**
 * Tells whether a backend waits for its commit to be acknowledged ({@code wait_event = 'SyncRep'}). Such a wait must
 * not be cancelled: PostgreSQL would show a commit that no other node has. Asked on a virtual thread, so it may run a
 * query; the front gives it a deadline, and an answer that is late or fails counts as yes.
 */
@FunctionalInterface
public interface CancelGuard {
    boolean waitsForAcknowledgement(int pid) throws Exception;
}
