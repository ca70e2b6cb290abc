package io.quantadb.node.front;

/**
 * Whether a session stands between two transactions, by the headers that pass: how many ReadyForQuery its server still
 * owes, and what the last one said.
 *
 * <p>Query, Sync and FunctionCall are owed one each; the messages of the extended protocol belong to the Sync that
 * follows them. During a COPY into the server its Sync messages are swallowed, and a client that sends some then is
 * thought to be busy for ever: what waits for it has a bound of its own. Confined to its session's event loop.
 */
final class Turns {
    /** The tag of ReadyForQuery; its one byte says whether a transaction is open. */
    static final byte READY = 'Z';

    private static final byte NO_TRANSACTION = 'I';
    private static final byte IN_TRANSACTION = 'T';
    private static final byte FAILED_TRANSACTION = 'E';

    /** The first one ends the start-up. */
    private int owed = 1;

    private boolean unsynced;
    private long count;
    private byte status = NO_TRANSACTION;

    /** The client's message of that tag is on its way to the server. */
    void onStatement(byte tag) {
        switch (tag) {
            case 'Q', 'F', 'S' -> {
                owed++;
                unsynced = false;
            }
            case 'P', 'B', 'D', 'E', 'C', 'H' -> unsynced = true;
            default -> {
                // A password, data of a COPY, or the end: no turn begins by it.
            }
        }
    }

    /** The server is ready for the next turn. */
    void onReady(byte transaction) {
        owed = Math.max(0, owed - 1);
        count++;
        status = transaction;
    }

    /** How many turns are over. */
    long count() {
        return count;
    }

    /** Whether a transaction is open of which nothing is under way: no COMMIT that it could have been ended by. */
    boolean openAndIdle() {
        return owed == 0 && !unsynced && (status == IN_TRANSACTION || status == FAILED_TRANSACTION);
    }

    boolean between() {
        return owed == 0 && !unsynced && status == NO_TRANSACTION;
    }
}
