/**
 * Says in {@code status} what is so. Pure: what was seen, planned and done goes in, the status comes out. A condition is
 * {@code Unknown} rather than guessed.
 */
@NullMarked
package io.quantadb.operator.status;

import org.jspecify.annotations.NullMarked;
