/**
 * Wiring: builds one node from its configuration, starts and stops its parts in order, and is the only package that
 * sees all of them. {@link io.quantadb.node.runtime.NodeAgent} is one running node.
 */
@NullMarked
package io.quantadb.node.runtime;

import org.jspecify.annotations.NullMarked;
