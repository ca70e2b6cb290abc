package io.quantadb.node.cli;

import io.quantadb.node.config.NodeConfig;
import java.util.List;

/** Makes a cluster of one node whose group has lost its majority; found as a {@link java.util.ServiceLoader} service. */
public interface QuorumRecovery {
    /**
     * Looks at a node's disk, which nobody else may use until the plan is closed; changes nothing.
     *
     * @throws Failure when there is nothing to recover, or a majority is there
     */
    Plan plan(NodeConfig config);

    /** What would be done. */
    interface Plan extends AutoCloseable {
        /** The present cluster's name, to be typed; empty when an earlier recovery was interrupted and only goes on. */
        String cluster();

        /** What is known of the loss, and what cannot be prevented. */
        List<String> words();

        /** Does it; returns what to do next. Interrupted at any place, another call goes on. */
        List<String> carryOut();

        @Override
        void close();
    }
}
