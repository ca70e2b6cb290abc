package io.quantadb.node.front;

import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.SSLException;

/**
 * Makes the server side of TLS for SQL clients: TLS 1.2 and 1.3, and the ALPN name that direct TLS needs. BoringSSL
 * where it loads, as between nodes (docs/adr/0008): the JDK's engine keeps several buffers of a record's size on the
 * agent's small heap for each session, and without C2 it encrypts slowly.
 */
public final class FrontTls {
    /** Sessions remembered for resumption; libpq never asks, and by default there would be 20480. */
    private static final int SESSIONS = 64;

    private FrontTls() {}

    /** Clients bring no certificate: PostgreSQL, behind a unix socket, could not check one. */
    public static SslContext server(PrivateKey key, List<X509Certificate> chain) throws SSLException {
        return server(key, chain, OpenSsl.isAvailable() ? SslProvider.OPENSSL : SslProvider.JDK);
    }

    static SslContext server(PrivateKey key, List<X509Certificate> chain, SslProvider provider) throws SSLException {
        return SslContextBuilder.forServer(key, chain.toArray(X509Certificate[]::new))
                .sslProvider(provider)
                .protocols("TLSv1.3", "TLSv1.2")
                .sessionCacheSize(SESSIONS)
                .applicationProtocolConfig(new ApplicationProtocolConfig(
                        ApplicationProtocolConfig.Protocol.ALPN,
                        ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
                        ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
                        List.of(StartupHandler.ALPN)))
                .build();
    }
}
