package io.quantadb.node.transport;

import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.IdentityCipherSuiteFilter;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.OpenSslCertificateException;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.internal.tcnative.CertificateVerifier;
import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.pki.NodeCredentials;
import io.quantadb.node.pki.ShownCertificate;
import java.security.cert.CertPathValidatorException.BasicReason;
import java.security.cert.CertPathValidatorException.Reason;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.List;
import javax.net.ssl.SSLException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes TLS contexts of one kind: BoringSSL (netty-tcnative) where it loads, else the JDK's. The relay's throughput is
 * paid in AES: the agent's small JVM compiles with C1 alone, which has no AES instructions, and then the JDK's engine
 * passes some 20 MB/s (docs/adr/0008).
 *
 * <p>Host names are not compared (no endpoint identification): identity is the CN, checked after the handshake, and an
 * address or a pod's name is in no certificate. Any thread.
 */
final class TlsEngines {
    private static final Logger LOGGER = LoggerFactory.getLogger(TlsEngines.class);

    /** AES-128 first: it is what the relay's throughput is paid in, and enough. */
    private static final List<String> NODE_CIPHERS =
            List.of("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256");

    /**
     * Sessions remembered for resumption by clients. Nodes never resume (each connection is judged anew), yet the JDK
     * would keep up to 20480 of them, with their certificates, for a day.
     */
    private static final int CLIENT_SESSIONS = 64;

    private final InstantSource wall;
    private final SslProvider provider;

    TlsEngines(InstantSource wall) {
        this(wall, OpenSsl.isAvailable() ? SslProvider.OPENSSL : SslProvider.JDK);
        if (provider == SslProvider.JDK) {
            LOGGER.atWarn()
                    .setCause(OpenSsl.unavailabilityCause())
                    .log(
                            "the native TLS library does not load here, the JDK's engine is used: WAL streams are far slower");
        }
    }

    TlsEngines(InstantSource wall, SslProvider provider) {
        this.wall = wall;
        this.provider = provider;
    }

    /** Between nodes. */
    SslContext peer(NodeCredentials own, boolean client) {
        SslContextBuilder builder = client
                ? SslContextBuilder.forClient().keyManager(new OneKey(own)).endpointIdentificationAlgorithm(null)
                : SslContextBuilder.forServer(new OneKey(own)).clientAuth(ClientAuth.REQUIRE);
        return build(builder.trustManager(trust(own, false))
                .ciphers(NODE_CIPHERS, IdentityCipherSuiteFilter.INSTANCE)
                .protocols("TLSv1.3")
                .sessionCacheSize(1));
    }

    /** Towards SQL clients and callers of the HTTP API. */
    SslContext clients(NodeCredentials own, ClientAuth clientAuth, List<String> applicationProtocols) {
        return build(forClients(new OneKey(own), applicationProtocols)
                .trustManager(trust(own, true))
                .clientAuth(clientAuth));
    }

    /** Towards clients who are shown a certificate that is not the node's; they bring none. */
    SslContext clients(ShownCertificate shown, List<String> applicationProtocols) {
        return build(forClients(new OneKey(shown.chain(), shown.key()), applicationProtocols)
                // Asked by nobody; without one, Netty would read and keep all the authorities that the JDK trusts.
                .trustManager(shown.chain().toArray(X509Certificate[]::new))
                .clientAuth(ClientAuth.NONE));
    }

    private static SslContextBuilder forClients(OneKey key, List<String> applicationProtocols) {
        return SslContextBuilder.forServer(key)
                .applicationProtocolConfig(alpn(applicationProtocols))
                .protocols("TLSv1.3", "TLSv1.2")
                .sessionCacheSize(CLIENT_SESSIONS);
    }

    private ClusterTrust trust(NodeCredentials own, boolean roles) {
        return provider == SslProvider.JDK
                ? new ClusterTrust(own, wall, roles, untrusted -> untrusted)
                : new ClusterTrust(own, wall, roles, TlsEngines::withErrorCode);
    }

    /** Netty knows expiry by itself; any other reason would go to the other side as 'internal error'. */
    private static CertificateException withErrorCode(ClusterTrust.Untrusted untrusted) {
        Reason reason = untrusted.reason();
        return reason == BasicReason.EXPIRED || reason == BasicReason.NOT_YET_VALID
                ? untrusted
                : new OpenSslCertificateException(
                        untrusted.getMessage(),
                        untrusted,
                        CertificateVerifier.X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
    }

    private SslContext build(SslContextBuilder builder) {
        try {
            return builder.sslProvider(provider).build();
        } catch (SSLException e) {
            throw new LocalFault("TLS cannot be set up with this certificate: " + e.getMessage(), e);
        }
    }

    private static ApplicationProtocolConfig alpn(List<String> protocols) {
        return protocols.isEmpty()
                ? ApplicationProtocolConfig.DISABLED
                : new ApplicationProtocolConfig(
                        ApplicationProtocolConfig.Protocol.ALPN,
                        ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
                        ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
                        protocols);
    }
}
