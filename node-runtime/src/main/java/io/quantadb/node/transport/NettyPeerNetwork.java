package io.quantadb.node.transport;

import static io.quantadb.node.common.LogKeys.PEER;
import static io.quantadb.node.common.LogKeys.RAFT;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.ssl.SslHandler;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@link PeerNetwork} over TCP and TLS 1.3. Every node dials every peer and sends on the connection it dialled; what
 * it accepted it only reads. So a peer that moved is found by its own dial, and each direction recovers by itself.
 * A peer that this node was not told of is dialled for as long as it is connected to this node, where its {@link Hello}
 * says: whoever is behind with the log knows neither that a leader is a member nor where it is, and must answer it.
 *
 * <p>Everything happens on one event loop of one thread ({@code quantadb-net}) that carries nothing else; handshakes
 * are computed elsewhere. Of two connections that one peer dialled the later one counts.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a failed close has nobody to tell
final class NettyPeerNetwork implements PeerNetwork {
    private static final Logger LOGGER = LoggerFactory.getLogger(NettyPeerNetwork.class);
    private static final String PORT = "Raft port";
    private static final String SETTING = "raft_port";

    private final NetContext net;
    private final EventLoop loop;
    private final Map<NodeId, PeerLink> links = new ConcurrentHashMap<>();

    // Event loop only.
    private final Map<NodeId, IncomingPeer> incoming = new HashMap<>();
    private final Set<IncomingPeer> accepted = new HashSet<>();
    /** Those with a link that this node was not told of. */
    private final Set<NodeId> guests = new HashSet<>();

    private volatile @Nullable Handler handler;
    private volatile @Nullable Channel server;
    private volatile PeerPolicy policy = PeerPolicy.ALL;
    private volatile boolean closed;

    NettyPeerNetwork(NetContext net) {
        this.net = net;
        this.loop = net.control().next();
    }

    @Override
    public synchronized void start(Handler to) {
        if (handler != null) {
            throw new IllegalStateException("already started");
        }
        handler = to;
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(net.control())
                .channel(net.sockets().serverChannel())
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel ch) {
                        accept(ch);
                    }
                });
        net.sockets().asControl(bootstrap);
        server = Sockets.bind(bootstrap, net.config().raftBind(), PORT, SETTING);
        run(() -> links.values().forEach(PeerLink::dialNow));
    }

    private void accept(SocketChannel ch) {
        long opening = accepted.stream().filter(c -> c.hello() == null).count();
        var limits = net.config().limits();
        if (closed || accepted.size() >= limits.controlConnections() || opening >= limits.openings()) {
            net.refusals()
                    .warn(
                            "closed a connection on the Raft port",
                            IncomingPeer.host(ch.remoteAddress()),
                            "too many at once: find out who dials this port");
            ch.close();
            return;
        }
        SslHandler tls = net.tls().peerServer().newHandler(ch.alloc(), net.helper());
        tls.setHandshakeTimeoutMillis(limits.opening().toMillis());
        var decoder = new PeerFrameDecoder();
        var connection = new IncomingPeer(net, decoder, new Accepted());
        accepted.add(connection);
        ch.pipeline().addLast(tls, decoder, connection);
    }

    /** What accepted connections report; event loop. */
    private final class Accepted implements IncomingPeer.Listener {
        @Override
        public Optional<String> objection(NodeId peer) {
            if (peer.equals(net.self())) {
                return Optional.of(
                        "it has the node id of this node, '%s': two nodes must not have one id".formatted(peer));
            }
            return policy.allows(peer)
                    ? Optional.empty()
                    : Optional.of("node '%s' is not a member of this cluster: add it first".formatted(peer));
        }

        @Override
        public void onOpen(IncomingPeer connection, Hello hello) {
            IncomingPeer before = incoming.put(hello.node(), connection);
            if (before != null) {
                before.close();
            }
            PeerLink link = links.get(hello.node());
            if (link == null) {
                link = guest(hello);
            }
            if (link != null) {
                link.onPeerDialled(hello.process(), connection.from());
            }
        }

        private @Nullable PeerLink guest(Hello hello) {
            HostPort address = hello.address();
            if (address == null || guests.size() >= net.config().limits().controlConnections()) {
                return null;
            }
            PeerLink link = new PeerLink(net, loop, hello.node(), address, new Links());
            links.put(hello.node(), link);
            guests.add(hello.node());
            return link;
        }

        @Override
        public void onFrame(NodeId peer, PeerFrame frame) {
            long now = net.clock().nanos();
            tell(peer, h -> h.onMessage(peer, frame.kind(), frame.payload(), now));
        }

        @Override
        public void onClosed(IncomingPeer connection) {
            accepted.remove(connection);
            Hello hello = connection.hello();
            if (hello == null || !incoming.remove(hello.node(), connection)) {
                return;
            }
            boolean guest = guests.remove(hello.node());
            PeerLink link = guest ? links.remove(hello.node()) : links.get(hello.node());
            if (link != null && guest) {
                link.close();
            } else if (link != null) {
                link.onPeerGone();
            }
        }
    }

    private final class Links implements PeerLink.Listener {
        @Override
        public void onUp(NodeId peer) {
            tell(peer, h -> h.onConnected(peer));
        }

        @Override
        public void onDown(NodeId peer, boolean reset) {
            tell(peer, h -> h.onDisconnected(peer, reset));
        }
    }

    private void tell(NodeId peer, java.util.function.Consumer<Handler> what) {
        Handler to = handler;
        if (to == null || closed) {
            return;
        }
        try {
            what.accept(to);
        } catch (RuntimeException e) {
            // A fault of the one told; the connection and the other peers go on.
            LOGGER.atError().addMarker(RAFT).addKeyValue(PEER, peer).setCause(e).log("handler of peer events failed");
        }
    }

    @Override
    public void setPeers(Map<NodeId, HostPort> peers) {
        Map<NodeId, HostPort> wanted = Map.copyOf(peers);
        run(() -> {
            if (closed) {
                return;
            }
            links.entrySet().removeIf(entry -> {
                if (wanted.containsKey(entry.getKey())) {
                    return false;
                }
                if (incoming.containsKey(entry.getKey())) {
                    guests.add(entry.getKey());
                    return false;
                }
                entry.getValue().close();
                return true;
            });
            wanted.forEach((peer, address) -> {
                if (peer.equals(net.self())) {
                    return;
                }
                guests.remove(peer);
                PeerLink link = links.get(peer);
                if (link == null) {
                    link = new PeerLink(net, loop, peer, address, new Links());
                    links.put(peer, link);
                    IncomingPeer standing = incoming.get(peer);
                    Hello hello = standing == null ? null : standing.hello();
                    if (standing != null && hello != null) {
                        link.onPeerDialled(hello.process(), standing.from());
                    } else if (server != null) {
                        link.dialNow();
                    }
                } else {
                    link.moveTo(address);
                }
            });
        });
    }

    /** Replaces the policy; accepted connections that it does not allow are closed. */
    void setPolicy(PeerPolicy allowed) {
        policy = allowed;
        run(() -> Map.copyOf(incoming).forEach((peer, connection) -> {
            if (!allowed.allows(peer)) {
                connection.close();
            }
        }));
    }

    @Override
    public boolean send(NodeId to, byte kind, byte[] payload) {
        if (payload.length > PeerFrame.MAX_PAYLOAD) {
            throw new IllegalArgumentException(
                    "a message of %d bytes is over %d".formatted(payload.length, PeerFrame.MAX_PAYLOAD));
        }
        PeerLink link = links.get(to);
        return link != null && link.send(kind, payload);
    }

    @Override
    public HostPort address() {
        Channel bound = server;
        return bound == null
                ? net.config().raftBind()
                : Sockets.boundTo(bound, net.config().raftBind());
    }

    private void run(Runnable work) {
        try {
            loop.execute(work);
        } catch (RejectedExecutionException e) {
            LOGGER.atDebug().addMarker(RAFT).log("network is closed");
        }
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        Channel bound = server;
        if (bound != null) {
            bound.close().awaitUninterruptibly(1000);
        }
        run(() -> {
            links.values().forEach(PeerLink::close);
            links.clear();
            Set.copyOf(accepted).forEach(IncomingPeer::close);
        });
    }
}
