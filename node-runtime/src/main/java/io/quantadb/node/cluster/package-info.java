/** The decision core: the replicated cluster state, the rules that decide who is primary and what is acknowledged; events in, actions out, no I/O. */
@NullMarked
package io.quantadb.node.cluster;

import org.jspecify.annotations.NullMarked;
