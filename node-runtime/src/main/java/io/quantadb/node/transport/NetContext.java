package io.quantadb.node.transport;

import io.netty.channel.EventLoopGroup;
import io.quantadb.node.common.MonotonicClock;
import io.quantadb.node.common.NodeId;
import java.util.concurrent.Executor;
import java.util.random.RandomGenerator;

/**
 * What both ports share of one process.
 *
 * @param process random identity of this process, see {@link Hello}
 * @param helper runs the slow parts of TLS handshakes, so that a stranger's dial delays no heartbeat
 */
record NetContext(
        TransportConfig config,
        Sockets sockets,
        EventLoopGroup control,
        EventLoopGroup bulk,
        TlsContexts tls,
        AddressResolver resolver,
        PeerPlaces places,
        Executor helper,
        RefusalLog refusals,
        MonotonicClock clock,
        RandomGenerator random,
        long process) {
    NodeId self() {
        return config.self();
    }

    /** What this process says first on every control connection. */
    Hello hello() {
        return new Hello(Hello.VERSION, process, config.self(), config.raftAdvertised());
    }
}
