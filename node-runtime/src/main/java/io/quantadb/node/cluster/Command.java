package io.quantadb.node.cluster;

/** A change of the replicated cluster state, carried by one Raft entry. Being filled in with the state machine. */
public sealed interface Command permits Command.Noop {
    record Noop() implements Command {}
}
