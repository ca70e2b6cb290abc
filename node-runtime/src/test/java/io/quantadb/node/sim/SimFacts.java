package io.quantadb.node.sim;

import io.quantadb.node.cluster.Settings;
import io.quantadb.node.cluster.Timers;

/** What an agent keeps on disk beside Raft: each is written as a whole or not at all, and outlives a crash. */
final class SimFacts {
    long promise;
    /** What was promised, whatever a restart finds of it: for the invariants alone. */
    long promisedEver;

    long generation;
    Timers timers = Settings.DEFAULT.timers();
}
