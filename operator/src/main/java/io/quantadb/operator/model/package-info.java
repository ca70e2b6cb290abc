/**
 * What a cluster should be, as pure functions: a spec and an {@link io.quantadb.operator.model.ObservedCluster} go in,
 * Kubernetes objects and an ordered list of {@link io.quantadb.operator.model.Step}s come out. Nothing here talks to
 * anything, reads a clock or draws a random number, so that golden files can pin all of it.
 *
 * <p>One plan passes through like this: {@link io.quantadb.operator.model.ImageChoice} settles the image,
 * {@link io.quantadb.operator.model.DesiredObjects} makes the objects (with
 * {@link io.quantadb.operator.model.NodeConfiguration} and {@link io.quantadb.operator.model.NodePod} inside), and
 * {@link io.quantadb.operator.model.Planner} puts the steps in order.
 */
@NullMarked
package io.quantadb.operator.model;

import org.jspecify.annotations.NullMarked;
