/** Tests of the WAL relay: by bytes, by tables, and with real servers over loopback. */
@NullMarked
package io.quantadb.node.relay;

import org.jspecify.annotations.NullMarked;
