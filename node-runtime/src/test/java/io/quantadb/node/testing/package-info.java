/** Helpers for tests of every package: a real PostgreSQL that starts in a second or two and leaves nothing behind. */
@NullMarked
package io.quantadb.node.testing;

import org.jspecify.annotations.NullMarked;
