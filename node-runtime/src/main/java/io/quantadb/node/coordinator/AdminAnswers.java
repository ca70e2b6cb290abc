package io.quantadb.node.coordinator;

import io.quantadb.node.cluster.Action;

/** Where the core's answers to operators' requests are picked up. Core thread; must return at once. */
@FunctionalInterface
public interface AdminAnswers {
    void answer(Action.AdminAnswer answer);
}
