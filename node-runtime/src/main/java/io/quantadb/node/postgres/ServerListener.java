package io.quantadb.node.postgres;

/**
 * Hears what happens to the server. Called on the server's own threads, one call at a time for each kind; must hand
 * over and return at once.
 */
public interface ServerListener {
    /** It takes connections: a standby is consistent, a primary has finished crash recovery. */
    void onReady(StartMode mode);

    /**
     * The postmaster is gone, milliseconds ago; told for every end, asked for or not. Its backends may still be there:
     * {@link PostgresServer#awaitGone} waits until they are killed, and only then is the WAL on disk final.
     */
    void onExit(ServerExit exit);

    /** The log says that a commit gave up waiting for acknowledgement: it is visible and may be unreplicated. */
    void onWaitCancelled();
}
