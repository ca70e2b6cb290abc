package io.quantadb.node.transport;

import io.netty.channel.ConnectTimeoutException;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.ssl.NotSslRecordException;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.pki.Subjects;
import java.io.IOException;
import java.security.cert.X509Certificate;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.jspecify.annotations.Nullable;

/** Who is at the other end of a TLS connection, and in words why there is none. Static functions, any thread. */
final class PeerIdentity {
    private static final Pattern NATIVE = Pattern.compile("^[a-zA-Z]+\\(\\.\\.\\) failed with error\\(-\\d+\\): ");

    private PeerIdentity() {}

    /** The node id in the certificate that the handshake has checked; empty when its CN is none. */
    static Optional<NodeId> of(SslHandler tls) {
        try {
            var leaf = (X509Certificate) tls.engine().getSession().getPeerCertificates()[0];
            return Subjects.commonName(leaf).map(NodeId::new);
        } catch (SSLPeerUnverifiedException | IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** Whether the other side's kernel answered that nobody listens, or that the connection is none of its own. */
    static boolean isReset(@Nullable Throwable cause) {
        if (cause == null || cause instanceof ConnectTimeoutException) {
            return false;
        }
        String text = String.valueOf(cause.getMessage());
        // Native errors carry the number, the JDK's the words.
        return text.contains("(-111)")
                || text.contains("(-104)")
                || text.contains("Connection refused")
                || text.contains("Connection reset");
    }

    /** One side would not have the other; the message says why and what to do. */
    static final class Refusal extends IOException {
        Refusal(String words) {
            super(words);
        }
    }

    /** Whether this says something that a person should hear, rather than that a node or the way to it is gone. */
    static boolean isRefusal(Throwable cause) {
        if (cause instanceof SSLException) {
            // A health probe, or a peer that ended: it connects and goes without a word.
            boolean gone = cause.getCause() instanceof IOException io && !(io instanceof SSLException);
            return !gone && !String.valueOf(cause.getMessage()).contains("closed while SSL/TLS handshake");
        }
        return cause instanceof Refusal || cause instanceof DecoderException;
    }

    /** Whether one side has judged the other's certificate and will not have it; trying again does not help. */
    static boolean isCertificate(Throwable cause) {
        for (Throwable t = cause; t != null; t = t.getCause()) {
            if (t instanceof ClusterTrust.Untrusted || (t instanceof SSLException && isCertificateAlert(t))) {
                return true;
            }
        }
        return false;
    }

    private static boolean isCertificateAlert(Throwable t) {
        String folded = String.valueOf(t.getMessage()).toLowerCase(Locale.ROOT);
        return folded.contains("alert") && (folded.contains("certificate") || folded.contains("unknown_ca"));
    }

    /** What went wrong with a connection and what to do, in one line without a stack. */
    static String words(Throwable cause) {
        for (Throwable t = cause; t != null; t = t.getCause()) {
            if (t instanceof ClusterTrust.Untrusted) {
                return String.valueOf(t.getMessage());
            }
        }
        for (Throwable t = cause; t != null; t = t.getCause()) {
            if (t instanceof NotSslRecordException) {
                return "what it sent is not TLS: only QuantaDB nodes speak on this port";
            }
            if (t instanceof SslHandshakeTimeoutException) {
                return "it did not finish the TLS handshake in time";
            }
            if (t instanceof SSLException) {
                return tlsWords(t);
            }
        }
        String text = cause.getMessage();
        // Native calls put their name and number before what happened.
        return text == null
                ? cause.getClass().getSimpleName()
                : NATIVE.matcher(text).replaceFirst("");
    }

    private static String tlsWords(Throwable t) {
        String text = String.valueOf(t.getMessage());
        // Two engines: the JDK writes 'fatal alert: unknown_ca', BoringSSL '...:TLSV1_ALERT_UNKNOWN_CA'.
        String folded = text.toLowerCase(Locale.ROOT);
        if (folded.contains("empty client certificate chain") || folded.contains("did_not_return_a_certificate")) {
            return "it showed no certificate: a node must show the one issued by this cluster's CA";
        }
        if (folded.contains("alert") && folded.contains("certificate_expired")) {
            return "the other side says that this node's certificate is expired: issue a new one, or compare the clocks";
        }
        if (isCertificateAlert(t)) {
            return "the other side refused this node's certificate (%s): it is of another cluster, expired there, or its CA file differs from ours"
                    .formatted(text);
        }
        if (folded.contains("protocol_version")
                || folded.contains("unsupported_protocol")
                || folded.contains("not enabled or supported")) {
            return "it does not speak TLS 1.3: " + text;
        }
        return "the TLS handshake failed: " + text;
    }
}
