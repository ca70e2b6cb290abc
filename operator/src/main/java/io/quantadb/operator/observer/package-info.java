/** Reads what there is, in Kubernetes and from the nodes, into one immutable value. Changes nothing. */
@NullMarked
package io.quantadb.operator.observer;

import org.jspecify.annotations.NullMarked;
