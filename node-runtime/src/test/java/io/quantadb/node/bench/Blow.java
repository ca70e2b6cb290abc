package io.quantadb.node.bench;

import java.io.IOException;

/** What is done to a cluster in one round of a bench, and undone. Everything that forks or reads is done when it is made. */
interface Blow {
    /**
     * Strikes. Writes go on meanwhile, as far as they can.
     *
     * @param round chooses among variants
     * @return the instant just before, on the monotonic clock
     */
    long strike(int round) throws IOException, InterruptedException;

    /** Gives the cluster back what it lost; it mends the rest. */
    void heal() throws IOException, InterruptedException;

    /** What is worth knowing of this round beside its gap; may be empty. */
    default String detail() {
        return "";
    }
}
