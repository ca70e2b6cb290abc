/** One reconcile of a {@code QuantaCluster}: observe, validate, plan, act, tell. */
@NullMarked
package io.quantadb.operator.reconciler.cluster;

import org.jspecify.annotations.NullMarked;
