package io.quantadb.node.coordinator;

import io.quantadb.node.cluster.SwitchoverReport;

/** Where people look what became of a switchover. Called on the core thread; must return at once. */
@FunctionalInterface
public interface SwitchoverBoard {
    void show(SwitchoverReport report);
}
