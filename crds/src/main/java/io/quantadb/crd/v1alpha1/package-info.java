/**
 * Version {@code v1alpha1} of {@code quantadb.io}. The records are the schema: {@code crds/generated} is made from them
 * by {@code make crds}, and a test fails when the two differ. Defaults stand twice, as {@code @Default} for the API
 * server and in the compact constructors for objects that never passed one; a test compares them.
 */
@NullMarked
package io.quantadb.crd.v1alpha1;

import org.jspecify.annotations.NullMarked;
