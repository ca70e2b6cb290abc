package io.quantadb.node.transport;

import io.netty.buffer.ByteBuf;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.pki.NodeCredentials;
import io.quantadb.node.pki.TlsFiles;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketException;
import java.nio.file.Files;
import java.security.SecureRandom;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/** A hand-driven TLS client that trusts anybody, to say what our own side never would. */
final class RawTls implements AutoCloseable {
    private final SSLSocket socket;

    private RawTls(SSLSocket socket) {
        this.socket = socket;
    }

    static RawTls dial(HostPort at, TlsFiles files) throws Exception {
        RawTls raw = connect(at, files, "TLSv1.3");
        raw.socket.startHandshake();
        return raw;
    }

    static RawTls connect(HostPort at, TlsFiles files, String protocol) throws Exception {
        X509Certificate certificate;
        try (InputStream in = Files.newInputStream(files.cert())) {
            certificate =
                    (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
        var within = certificate.getNotBefore().toInstant().plusSeconds(60);
        NodeCredentials own = NodeCredentials.load(files, within);
        var context = SSLContext.getInstance("TLS");
        context.init(new KeyManager[] {new OneKey(own)}, new TrustManager[] {new Anybody()}, new SecureRandom());
        var socket = (SSLSocket) context.getSocketFactory().createSocket(at.host(), at.port());
        socket.setSoTimeout(5000);
        socket.setEnabledProtocols(new String[] {protocol});
        return new RawTls(socket);
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

    void handshake() throws IOException {
        socket.startHandshake();
    }

    /** The other side's certificate. */
    X509Certificate peer() throws IOException {
        return (X509Certificate) socket.getSession().getPeerCertificates()[0];
    }

    void write(ByteBuf... parts) throws IOException {
        var all = new java.io.ByteArrayOutputStream();
        for (ByteBuf part : parts) {
            part.readBytes(all, part.readableBytes());
        }
        socket.getOutputStream().write(all.toByteArray());
        socket.getOutputStream().flush();
    }

    byte[] read(int bytes) throws IOException {
        return socket.getInputStream().readNBytes(bytes);
    }

    /** True when the other side ends the connection, in whatever way; false when it does not within 5 s. */
    boolean readsToTheEnd() throws IOException {
        try {
            socket.getInputStream().readAllBytes();
            return true;
        } catch (SSLException | SocketException e) {
            return true;
        } catch (java.net.SocketTimeoutException e) {
            return false;
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
