package io.quantadb.node.front;

/**
 * The primary's lease, as the front asks for it before every forward: on any event loop, very often, so an
 * implementation compares the monotonic clock with a volatile deadline and does nothing else.
 */
@FunctionalInterface
public interface LeaseView {
    /** Whether this node holds, at this instant, the lease of {@code epoch}. */
    boolean holds(long epoch);
}
