/**
 * Checks that the schema cannot express, or that a Kubernetes before 1.25 does not enforce. They end in condition
 * {@code Stalled} and change nothing about a running cluster.
 */
@NullMarked
package io.quantadb.operator.validation;

import org.jspecify.annotations.NullMarked;
