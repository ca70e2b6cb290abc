package io.quantadb.node.coordinator;

import io.quantadb.node.cluster.Action;

/** Where the answers to nodes that ask to be let in are picked up. Core thread. */
@FunctionalInterface
public interface JoinDesk {
    void answer(Action.JoinAnswer answer);
}
