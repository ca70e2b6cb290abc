/**
 * A node's settings. {@link io.quantadb.node.config.ConfigLoader} lays defaults, the JSON file, the environment and the
 * flags over each other ({@link io.quantadb.node.config.Settings}), refuses what {@link io.quantadb.node.config.Keys}
 * does not know, and builds one record per concern; the records check bounds and relations in their constructors, so
 * that a {@link io.quantadb.node.config.NodeConfig} that exists is a valid one.
 */
@NullMarked
package io.quantadb.node.config;

import org.jspecify.annotations.NullMarked;
