package io.quantadb.node.pgwire;

import io.quantadb.node.common.HostPort;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/**
 * Opens sessions over TCP, for commands: with TLS where the server offers it, as psql's {@code sslmode=prefer} does, or
 * only with TLS under a given CA ({@code verify-ca}). Blocking; any thread.
 */
public final class SqlDial {
    private static final int SSL_REQUEST = 80_877_103;

    private final SSLSocketFactory tls;
    private final boolean required;

    private SqlDial(SSLSocketFactory tls, boolean required) {
        this.tls = tls;
        this.required = required;
    }

    /** TLS when there is some, whoever shows whatever certificate: keeps listeners out, not impostors. */
    public static SqlDial preferringTls() {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, new TrustManager[] {new TrustEverybody()}, null);
            return new SqlDial(context.getSocketFactory(), false);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this JDK has no TLS", e);
        }
    }

    /** TLS or nothing. */
    public static SqlDial requiring(SSLSocketFactory tls) {
        return new SqlDial(tls, true);
    }

    /**
     * Opens a session.
     *
     * @param deadline of connecting, of the TLS handshake, and of each step of the start-up
     * @throws PgUnreachable when no session came about
     * @throws PgError when the server said no
     */
    public PgConnection open(HostPort at, Map<String, String> startup, PasswordLogin login, Duration deadline) {
        Socket socket = new Socket();
        SocketBytes bytes;
        try {
            int wait = Math.toIntExact(Math.max(1, deadline.toMillis()));
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(wait);
            socket.connect(new InetSocketAddress(at.host(), at.port()), wait);
            Socket speaking = secured(socket, at);
            // From here on the session's own deadlines hold.
            speaking.setSoTimeout(0);
            socket.setSoTimeout(0);
            bytes = new SocketBytes(socket, speaking.getInputStream(), speaking.getOutputStream());
        } catch (IOException e) {
            closeQuietly(socket);
            throw new PgUnreachable("%s: %s".formatted(at, e.getMessage()), e);
        }
        return PgConnection.over(bytes, startup, login, deadline);
    }

    private Socket secured(Socket plain, HostPort at) throws IOException {
        DataOutputStream out = new DataOutputStream(plain.getOutputStream());
        out.writeInt(8);
        out.writeInt(SSL_REQUEST);
        out.flush();
        int answer = plain.getInputStream().read();
        if (answer == 'S') {
            SSLSocket secure = (SSLSocket) tls.createSocket(plain, at.host(), at.port(), true);
            secure.startHandshake();
            return secure;
        }
        if (answer != 'N') {
            throw new IOException("it does not speak PostgreSQL's protocol");
        }
        if (required) {
            throw new IOException("it offers no TLS, which was asked for");
        }
        return plain;
    }

    private static void closeQuietly(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // Nothing more is wanted of it.
            return;
        }
    }

    /** A socket's streams as a channel; closing it from another thread ends a wait. */
    private static final class SocketBytes implements ByteChannel {
        private final Socket raw;
        private final InputStream in;
        private final OutputStream out;

        SocketBytes(Socket raw, InputStream in, OutputStream out) {
            this.raw = raw;
            this.in = in;
            this.out = out;
        }

        @Override
        public int read(ByteBuffer into) throws IOException {
            byte[] room = into.hasArray() ? into.array() : new byte[into.remaining()];
            int at = into.hasArray() ? into.arrayOffset() + into.position() : 0;
            int count = in.read(room, at, into.remaining());
            if (count > 0) {
                if (into.hasArray()) {
                    into.position(into.position() + count);
                } else {
                    into.put(room, 0, count);
                }
            }
            return count;
        }

        @Override
        public int write(ByteBuffer from) throws IOException {
            int count = from.remaining();
            byte[] bytes = new byte[count];
            from.get(bytes);
            out.write(bytes);
            out.flush();
            return count;
        }

        @Override
        public boolean isOpen() {
            return !raw.isClosed();
        }

        @Override
        public void close() throws IOException {
            // The socket below, not TLS: saying goodbye could wait for who does not listen.
            raw.close();
        }
    }

    /** What {@code sslmode=prefer} does: no certificate is looked at. */
    private static final class TrustEverybody extends X509ExtendedTrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, @Nullable Socket socket) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, @Nullable Socket socket) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, @Nullable SSLEngine engine) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, @Nullable SSLEngine engine) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
