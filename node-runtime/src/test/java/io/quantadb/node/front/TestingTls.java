package io.quantadb.node.front;

import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslProvider;
import java.math.BigInteger;
import java.security.KeyPairGenerator;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** A server context with a certificate of its own making. */
final class TestingTls {
    private TestingTls() {}

    static SslContext server(SslProvider provider) {
        try {
            var generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(256);
            var keys = generator.generateKeyPair();
            var name = new X500Name("CN=localhost");
            var now = Instant.now();
            var builder = new JcaX509v3CertificateBuilder(
                    name,
                    BigInteger.ONE,
                    Date.from(now.minusSeconds(60)),
                    Date.from(now.plusSeconds(3600)),
                    name,
                    keys.getPublic());
            X509Certificate certificate = new JcaX509CertificateConverter()
                    .getCertificate(
                            builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(keys.getPrivate())));
            return FrontTls.server(keys.getPrivate(), List.of(certificate), provider);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }
}
