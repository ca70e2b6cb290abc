package io.quantadb.node.pgwire;

/** No session was reached: nothing was done, and the same call may work later (the server starts, stops or is gone). */
public final class PgUnreachable extends RuntimeException {
    public PgUnreachable(String message, Throwable cause) {
        super(message, cause);
    }

    public PgUnreachable(String message) {
        super(message);
    }
}
