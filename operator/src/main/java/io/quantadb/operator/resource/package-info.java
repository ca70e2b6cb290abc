/**
 * The edge to the Kubernetes API: {@link io.quantadb.operator.resource.KubernetesApi} is all that a reconcile asks of it,
 * {@link io.quantadb.operator.resource.StepRunner} carries a plan out through it.
 */
@NullMarked
package io.quantadb.operator.resource;

import org.jspecify.annotations.NullMarked;
