package io.quantadb.node.transport;

import io.quantadb.node.pki.ClusterRole;
import io.quantadb.node.pki.NodeCredentials;
import io.quantadb.node.pki.Subjects;
import java.io.IOException;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertPathValidatorException.BasicReason;
import java.security.cert.CertPathValidatorException.Reason;
import java.security.cert.CertificateException;
import java.security.cert.PKIXReason;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.function.Function;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/**
 * Trusts certificates of this cluster: signed by its CA, in their time, and of the same cluster name (O) as our own.
 * Host names are not compared; identity is the CN, checked after the handshake. What it adds to the JDK's check is a
 * reason that a person can act on ({@link Untrusted}).
 */
final class ClusterTrust extends X509ExtendedTrustManager {
    /**
     * Why a certificate was refused; the message says what to do and holds no secret. The cause carries the reason in the
     * form from which the JDK makes the alert that the other side hears.
     */
    static final class Untrusted extends CertificateException {
        private final transient Reason reason;

        Untrusted(String words, Reason reason, @Nullable Throwable cause) {
            super(words, new CertPathValidatorException(words, cause, null, -1, reason));
            this.reason = reason;
        }

        Reason reason() {
            return reason;
        }
    }

    @FunctionalInterface
    private interface Check {
        void run() throws CertificateException;
    }

    private final X509ExtendedTrustManager jdk;
    private final Optional<String> cluster;
    private final InstantSource wall;

    private final Function<Untrusted, CertificateException> telling;
    private final boolean roles;

    /**
     * @param roles whether certificates of {@link ClusterRole} are trusted too, as they are by the API alone
     * @param telling turns the reason into the exception from which the engine makes its alert
     */
    ClusterTrust(
            NodeCredentials own, InstantSource wall, boolean roles, Function<Untrusted, CertificateException> telling) {
        this.roles = roles;
        this.telling = telling;
        this.jdk = jdkTrust(own);
        this.cluster = own.cluster();
        this.wall = wall;
    }

    private static X509ExtendedTrustManager jdkTrust(NodeCredentials own) {
        try {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            int n = 0;
            for (X509Certificate authority : own.authorities()) {
                store.setCertificateEntry("ca" + n++, authority);
            }
            TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
            factory.init(store);
            for (TrustManager manager : factory.getTrustManagers()) {
                if (manager instanceof X509ExtendedTrustManager extended) {
                    return extended;
                }
            }
            throw new IllegalStateException("this Java has no PKIX trust manager");
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException("the CA certificates cannot be trusted", e);
        }
    }

    private void require(X509Certificate[] chain, Check check) throws CertificateException {
        try {
            examine(chain, check);
        } catch (Untrusted e) {
            throw telling.apply(e);
        }
    }

    private void examine(X509Certificate[] chain, Check check) throws Untrusted {
        if (chain.length == 0) {
            throw new Untrusted("it showed no certificate", BasicReason.UNSPECIFIED, null);
        }
        X509Certificate leaf = chain[0];
        String subject = Subjects.describe(leaf);
        Instant now = wall.instant();
        if (now.isAfter(leaf.getNotAfter().toInstant())) {
            throw new Untrusted(
                    "its certificate (%s) expired at %s: issue a new one for that node"
                            .formatted(subject, leaf.getNotAfter().toInstant()),
                    BasicReason.EXPIRED,
                    null);
        }
        if (now.isBefore(leaf.getNotBefore().toInstant())) {
            throw new Untrusted(
                    "its certificate (%s) is not valid before %s: compare the clocks of both machines"
                            .formatted(subject, leaf.getNotBefore().toInstant()),
                    BasicReason.NOT_YET_VALID,
                    null);
        }
        try {
            check.run();
        } catch (CertificateException e) {
            throw new Untrusted(
                    "its certificate (%s) was not signed by this cluster's CA: if it is a member, issue its certificate with this cluster's CA; if not, it dials the wrong cluster (%s)"
                            .formatted(subject, e.getMessage()),
                    PKIXReason.NO_TRUST_ANCHOR,
                    e);
        }
        Optional<String> theirs = Subjects.organization(leaf);
        if (!theirs.equals(cluster) && !(roles && ClusterRole.of(leaf, cluster).isPresent())) {
            throw new Untrusted(
                    "its certificate (%s) is of cluster '%s' and ours of '%s': it dials the wrong cluster, or its certificate must be issued anew"
                            .formatted(subject, theirs.orElse(""), cluster.orElse("")),
                    PKIXReason.NO_TRUST_ANCHOR,
                    null);
        }
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        require(chain, () -> jdk.checkClientTrusted(chain, authType, engine));
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        require(chain, () -> jdk.checkServerTrusted(chain, authType, engine));
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        require(chain, () -> jdk.checkClientTrusted(chain, authType, socket));
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        require(chain, () -> jdk.checkServerTrusted(chain, authType, socket));
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        require(chain, () -> jdk.checkClientTrusted(chain, authType));
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        require(chain, () -> jdk.checkServerTrusted(chain, authType));
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return jdk.getAcceptedIssuers();
    }
}
