/**
 * PostgreSQL's frontend/backend protocol 3.x, both halves, without any idea of clusters.
 *
 * <p>How one request passes through: a front's channel begins with a {@link io.quantadb.node.pgwire.StartupDecoder},
 * which turns the untagged first bytes into {@link io.quantadb.node.pgwire.StartupPacket}s; once one of them is a
 * {@link io.quantadb.node.pgwire.StartupMessage} the owner swaps it for a
 * {@link io.quantadb.node.pgwire.FrameDecoder}, which cuts the stream into
 * {@link io.quantadb.node.pgwire.WirePart}s (whole messages, or the pieces of a big one) that can be written on as
 * they are. {@link io.quantadb.node.pgwire.Messages} builds and reads bodies,
 * {@link io.quantadb.node.pgwire.ReplicationMessage} and {@link io.quantadb.node.pgwire.ReplicationCommand} do so for
 * physical replication. Straight-line code on virtual threads uses {@link io.quantadb.node.pgwire.PgConnection}
 * instead, which waits with a deadline on everything.
 */
@NullMarked
package io.quantadb.node.pgwire;

import org.jspecify.annotations.NullMarked;
