/**
 * The HTTP cluster API. A request is cut by Netty's HTTP codec under small limits, {@link io.quantadb.node.api.ApiHandler}
 * takes its line and throws its body away, {@link io.quantadb.node.api.ApiRouter} chooses a body record, which is made
 * from the immutable {@link io.quantadb.node.api.ClusterView} of that moment and writes itself as JSON. Nothing here
 * waits: not for PostgreSQL, not for another node, not for a lock.
 */
@NullMarked
package io.quantadb.node.api;

import org.jspecify.annotations.NullMarked;
