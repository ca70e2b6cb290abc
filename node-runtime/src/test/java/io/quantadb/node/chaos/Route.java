package io.quantadb.node.chaos;

import java.net.InetSocketAddress;

/**
 * One way through the proxy: where it listens, who dials there, whom that leads to.
 *
 * @param source where the proxy's own end seems to come from: the address at which the acceptor reaches the dialler
 */
record Route(int dialler, int acceptor, InetSocketAddress listen, InetSocketAddress target, InetSocketAddress source) {
    Link there() {
        return new Link(dialler, acceptor);
    }
}
