package io.quantadb.node.relay;

/** Asks, at every report of the voice, whether this node's lease to serve that epoch holds. Any thread, no waiting. */
@FunctionalInterface
public interface LeaseView {
    boolean valid(long epoch, long nowNanos);
}
