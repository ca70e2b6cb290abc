/**
 * The command line. {@link io.quantadb.node.cli.QuantaDb} parses; the default command builds a
 * {@link io.quantadb.node.config.NodeConfig} and hands it to the {@link io.quantadb.node.cli.NodeRunner} that the
 * runtime provides; {@code demo} starts three agents of this same program as processes of this machine and talks to
 * them over their HTTP API only; every refusal is a {@link io.quantadb.node.cli.Failure} with its own exit code.
 */
@NullMarked
package io.quantadb.node.cli;

import org.jspecify.annotations.NullMarked;
