/**
 * mTLS 1.3 channels between nodes: small control messages on the Raft port, streams on the replication port.
 *
 * <p>A message passes like this: {@code PeerNetwork.send} finds the {@code PeerLink} of the peer, which this node
 * dialled by name ({@code PeerDial}) and whose answer to the hello it has seen; the message becomes a
 * {@code PeerFrame} on that connection. The peer accepted it ({@code IncomingPeer}), compared its certificate with its
 * hello, cuts frames ({@code PeerFrameDecoder}) and hands them to its handler, all on one thread that does nothing
 * else.
 *
 * <p>A stream passes like this: {@code PeerStreams.open} dials, sends an opening ({@code StreamWire},
 * {@code OutgoingStream}); the other side ({@code IncomingStream}) asks the acceptor of that kind and answers; then
 * both hand the plain channel to their owners ({@code OpeningHandler}) and have no more part in it.
 *
 * <p>Who may connect: whoever holds a certificate of the cluster's CA in its time ({@code ClusterTrust}), names itself
 * by its CN ({@code PeerIdentity}), and is allowed by the {@link io.quantadb.node.transport.PeerPolicy}. Others are
 * refused and reported, once per interval ({@code RefusalLog}). Everything is made and owned by
 * {@link io.quantadb.node.transport.NettyTransport}.
 */
@NullMarked
package io.quantadb.node.transport;

import org.jspecify.annotations.NullMarked;
