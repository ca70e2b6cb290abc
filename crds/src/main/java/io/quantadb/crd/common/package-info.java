/** What every kind of {@code quantadb.io} shares. */
@NullMarked
package io.quantadb.crd.common;

import org.jspecify.annotations.NullMarked;
