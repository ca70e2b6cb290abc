/**
 * The SQL front: what clients connect to. One connection passes through like this.
 *
 * <ol>
 *   <li>{@link io.quantadb.node.front.SqlFront} accepts it on the {@code local} or the {@code primary} listener, or
 *       takes it from another node's front as a peer stream.
 *   <li>{@link io.quantadb.node.front.StartupHandler} answers TLS and GSS requests and reads the start-up packet, under
 *       limits of size and time; cancel requests go to {@link io.quantadb.node.front.CancelRouter} instead.
 *   <li>{@link io.quantadb.node.front.StartupPolicy} refuses what the cluster reserves and rewrites what must be.
 *   <li>{@link io.quantadb.node.front.Router} says where it goes: the PostgreSQL beside us, the front of the primary's
 *       node, or, for a bounded time, nowhere yet.
 *   <li>{@link io.quantadb.node.front.Session} joins both channels. Bytes are forwarded by message header
 *       ({@link io.quantadb.node.front.FrameScanner}); authentication, queries and rows are PostgreSQL's own.
 *   <li>Before every forward {@link io.quantadb.node.front.Gate} is asked: forward, hold, or cut. It knows the view
 *       (mode and epoch), the lease, the answers held because of a cancelled commit wait, and whether the primary is about to
 *       move, when {@link io.quantadb.node.front.Turns} tells where one transaction ends and the next would begin.
 * </ol>
 *
 * <p>A session belongs to the event loop of its client channel. Views, fences and holds come from any thread, are
 * published by volatile writes first, so that the very next forward obeys them, and then carried out on each loop.
 */
@NullMarked
package io.quantadb.node.front;

import org.jspecify.annotations.NullMarked;
