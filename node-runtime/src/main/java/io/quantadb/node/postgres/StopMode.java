package io.quantadb.node.postgres;

/** How a server is stopped. */
public enum StopMode {
    /** Sessions are cut, waiting commits are cancelled (their outcome is in doubt), a checkpoint is written. */
    FAST(Signals.INT),
    /** As a crash, but in order: no checkpoint, recovery at the next start. */
    IMMEDIATE(Signals.QUIT);

    private final int signal;

    StopMode(int signal) {
        this.signal = signal;
    }

    int signal() {
        return signal;
    }
}
