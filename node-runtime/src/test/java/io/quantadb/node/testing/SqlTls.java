package io.quantadb.node.testing;

import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/** A client of SQL over TLS that only looks at what it is shown. */
public final class SqlTls {
    private static final int SSL_REQUEST = 80877103;
    private static final int TIMEOUT_MS = 5000;

    private SqlTls() {}

    /** Asks for TLS as a client of PostgreSQL does, and gives the server's certificate, whoever issued it. */
    public static X509Certificate certificateShown(String host, int port) throws IOException, GeneralSecurityException {
        SSLContext anybody = SSLContext.getInstance("TLS");
        anybody.init(null, new TrustManager[] {new Anybody()}, new SecureRandom());
        try (Socket plain = new Socket(host, port)) {
            plain.setSoTimeout(TIMEOUT_MS);
            plain.getOutputStream()
                    .write(ByteBuffer.allocate(8).putInt(8).putInt(SSL_REQUEST).array());
            if (plain.getInputStream().read() != 'S') {
                throw new IOException("TLS was refused");
            }
            try (SSLSocket tls = (SSLSocket) anybody.getSocketFactory().createSocket(plain, host, port, true)) {
                tls.startHandshake();
                return (X509Certificate) tls.getSession().getPeerCertificates()[0];
            }
        }
    }

    private static final class Anybody implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
