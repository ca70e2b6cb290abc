/** The invariants of protocol.md, one class each; every one throws {@link AssertionError} with what was seen. */
package io.quantadb.node.sim.invariants;
