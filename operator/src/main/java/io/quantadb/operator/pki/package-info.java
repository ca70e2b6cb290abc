/**
 * The cluster CA and what it signs: the nodes' certificates and the one by which nodes know the operator. The shapes
 * are the node's own (its package {@code pki}); a test holds them against each other.
 */
@NullMarked
package io.quantadb.operator.pki;

import org.jspecify.annotations.NullMarked;
