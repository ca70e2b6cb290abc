/** The node runtime of QuantaDB: one agent beside one PostgreSQL. */
@NullMarked
package io.quantadb.node;

import org.jspecify.annotations.NullMarked;
