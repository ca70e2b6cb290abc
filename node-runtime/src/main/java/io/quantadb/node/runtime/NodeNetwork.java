package io.quantadb.node.runtime;

import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.quantadb.node.cli.ExitCode;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.MonotonicClock;
import io.quantadb.node.config.ClientTlsConfig;
import io.quantadb.node.config.ClientTlsMode;
import io.quantadb.node.config.NodeConfig;
import io.quantadb.node.front.SqlFront;
import io.quantadb.node.pki.TlsFiles;
import io.quantadb.node.transport.NettyTransport;
import io.quantadb.node.transport.TransportConfig;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** Builds what a node listens and dials with, from its settings. */
final class NodeNetwork {
    private NodeNetwork() {}

    static NettyTransport transport(NodeConfig config, MonotonicClock clock, RandomGenerator random) {
        return Steps.at(ExitCode.CERTIFICATE, () -> {
            TlsFiles tls = Certificates.of(config, InstantSource.system());
            return new NettyTransport(
                    new TransportConfig(
                                    config.cluster().nodeId(),
                                    new HostPort(config.host(), config.ports().raft()),
                                    new HostPort(config.host(), config.ports().replication()),
                                    tls)
                            .advertising(config.advertised(config.ports().raft())),
                    clock,
                    InstantSource.system(),
                    random);
        });
    }

    /** TLS towards SQL clients, asked at each connection, for rotation; null when it is off. */
    static @Nullable Supplier<SslContext> clientTls(NodeConfig config, NettyTransport transport) {
        ClientTlsConfig tls = config.clientTls();
        if (tls.mode() == ClientTlsMode.OFF) {
            return null;
        }
        Path cert = tls.certFile();
        Path key = tls.keyFile();
        List<String> protocols = List.of(SqlFront.APPLICATION_PROTOCOL);
        return cert == null || key == null
                // Clients bring no certificate: PostgreSQL, behind a unix socket, could not check one.
                ? () -> transport.tls().server(ClientAuth.NONE, protocols)
                : Steps.at(ExitCode.CERTIFICATE, () -> transport.tls().server(cert, key, protocols));
    }

    /** Tells while the node runs how long its certificates are good, and has renewed ones read; until closed. */
    static AutoCloseable watchCertificates(NettyTransport transport) {
        return new CertificateWatch(transport.tls()::look, InstantSource.system()).start();
    }

    /** The API asks for a certificate and serves probes without one; asked at each connection, for rotation. */
    static Supplier<SslContext> apiTls(NettyTransport transport) {
        return () -> transport.tls().server(ClientAuth.OPTIONAL, List.of("http/1.1"));
    }

    /** Who may call the API; on loopback addresses with a token of this run too. */
    static ApiCallers apiCallers(NodeConfig config, NettyTransport transport, RunFolder run, RandomGenerator random) {
        return new ApiCallers(
                () -> transport.tls().credentials(),
                config.loopbackOnly() ? run.token(random) : null,
                InstantSource.system());
    }
}
