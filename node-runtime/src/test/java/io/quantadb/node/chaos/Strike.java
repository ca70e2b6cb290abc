package io.quantadb.node.chaos;

import java.util.Random;

/**
 * A kind of strike: how it is drawn, done and undone. What a new part of the product can do to a cluster (a switchover, a
 * member that comes or goes) becomes part of chaos by one more of these in {@link Strikes#ALL}. Strikes run at the same
 * time, each on a thread of its own; one at a time may occupy a node's processes ({@link ChaosCluster#occupy}).
 */
interface Strike {
    /** What the schedule, the results and {@code ACTIONS=} call it. */
    String label();

    /** How often it is drawn, compared with others. */
    int weight();

    /** Draws whom, how long and how much; everything random about it comes from here. */
    Step draw(long atMs, Random random);

    /** Why it cannot be done here; empty when it can. */
    default String missing(ChaosCluster cluster) {
        return "";
    }

    /** Whether the primary must stay where it is as long as only such strikes happen: if it moves, that was for nothing. */
    default boolean primaryMustStay() {
        return false;
    }

    /**
     * Does it.
     *
     * @return what undoes it when its time is over
     * @throws Skipped when there is nothing to strike at now
     */
    Undo strike(Step step, ChaosCluster cluster) throws Exception;

    /** Ends a strike. */
    @FunctionalInterface
    interface Undo {
        /** For what needs no undoing. */
        Undo NOTHING = () -> {};

        void run() throws Exception;
    }

    /** There was nothing to strike at: no such node runs, or another strike has it. */
    class Skipped extends Exception {
        Skipped(String why) {
            super(why);
        }
    }
}
