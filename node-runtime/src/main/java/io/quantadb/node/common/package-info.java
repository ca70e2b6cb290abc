/** Value types that every package shares: identities, log positions, the error taxonomy, log keys and markers. It knows nothing of the rest. */
@NullMarked
package io.quantadb.node.common;

import org.jspecify.annotations.NullMarked;
