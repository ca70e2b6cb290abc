package io.quantadb.node.cli;

import io.quantadb.node.config.NodeConfig;

/** Runs one node until it is told to stop; found as a {@link java.util.ServiceLoader} service. */
public interface NodeRunner {
    /**
     * Blocks until the node has stopped, after a signal or a fault.
     *
     * @return the exit status
     * @throws Failure when the node cannot start, or had to stop: what, where, what to do
     */
    int run(NodeConfig config);

    /** Loads what a run needs and returns at once, so that the launcher can record a cache of loaded classes. */
    default void warmUp() {}
}
