package io.quantadb.node.front;

import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.quantadb.node.testing.SqlTls;
import io.quantadb.node.testing.TestingCertificates;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/** Server contexts with certificates of their own making, on the engine that is shipped unless another is named. */
final class TestingTls {
    private TestingTls() {}

    static SslContext server(SslProvider engine) {
        return server("localhost", engine);
    }

    static SslContext server(String commonName) {
        return server(commonName, SslProvider.OPENSSL);
    }

    private static SslContext server(String commonName, SslProvider engine) {
        try {
            var generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(256);
            var keys = generator.generateKeyPair();
            String name = "CN=" + commonName;
            X509Certificate certificate = TestingCertificates.issue(
                    name,
                    keys.getPublic(),
                    name,
                    keys.getPrivate(),
                    Instant.now().minusSeconds(60),
                    Duration.ofHours(1));
            return SslContextBuilder.forServer(keys.getPrivate(), certificate)
                    .sslProvider(engine)
                    .protocols("TLSv1.3", "TLSv1.2")
                    .applicationProtocolConfig(new ApplicationProtocolConfig(
                            ApplicationProtocolConfig.Protocol.ALPN,
                            ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
                            ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
                            List.of(SqlFront.APPLICATION_PROTOCOL)))
                    .build();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    /** The subject of the certificate that a client is shown on this port. */
    static String subjectShown(int port) throws IOException, GeneralSecurityException {
        return SqlTls.certificateShown("localhost", port)
                .getSubjectX500Principal()
                .getName();
    }
}
