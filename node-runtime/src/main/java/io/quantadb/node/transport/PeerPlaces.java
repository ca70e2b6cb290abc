package io.quantadb.node.transport;

import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Where a name leads by what stands, whatever name servers say: the address at which a peer's certificate was seen, for as
 * long as the Raft connection to it lasts. A peer that moved is found by its own dial; its streams are then dialled there
 * too, while name servers may tell the old place for seconds, or are away. Any thread.
 */
final class PeerPlaces {
    private final Map<String, InetAddress> reached = new ConcurrentHashMap<>();

    /** An address that was given as such is dialled as it was given, whatever else its node can be reached by. */
    void reached(String host, SocketAddress at) {
        if (NetUtil.createByteArrayFromIpAddressString(host) != null) {
            return;
        }
        if (at instanceof InetSocketAddress socket && socket.getAddress() != null) {
            reached.put(host, socket.getAddress());
        }
    }

    void left(String host) {
        reached.remove(host);
    }

    /** What the name servers say, behind what is known for sure. */
    List<InetAddress> first(String host, List<InetAddress> found) {
        InetAddress there = reached.get(host);
        if (there == null) {
            return found;
        }
        List<InetAddress> all = new ArrayList<>(found);
        all.remove(there);
        all.addFirst(there);
        return List.copyOf(all);
    }
}
