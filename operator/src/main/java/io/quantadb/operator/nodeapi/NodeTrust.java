package io.quantadb.operator.nodeapi;

import java.io.IOException;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.net.ssl.X509TrustManager;

/**
 * Trusts a server only when the cluster's CA signed it and its CN is the node that is expected at that address. Host
 * names are not compared: nodes are asked at pod addresses, which no certificate can name.
 */
final class NodeTrust extends X509ExtendedTrustManager {
    private final X509TrustManager jdk;
    /** Grows with pod addresses; a client, and this with it, is made anew twice a day. */
    private final Map<String, String> nodeByHost = new ConcurrentHashMap<>();

    NodeTrust(X509Certificate authority) {
        try {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            store.setCertificateEntry("ca", authority);
            TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
            factory.init(store);
            jdk = (X509TrustManager) factory.getTrustManagers()[0];
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException("the cluster CA cannot be trusted", e);
        }
    }

    /** From now on only this node is expected at this address. */
    void expect(NodeAddress address) {
        nodeByHost.put(address.host(), address.node());
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        jdk.checkServerTrusted(chain, authType);
        String expected = nodeByHost.get(engine.getPeerHost());
        if (expected == null || !expected.equals(commonName(chain[0]))) {
            throw new CertificateException("'%s' answers where node '%s' should be"
                    .formatted(chain[0].getSubjectX500Principal().getName(), expected));
        }
    }

    /** The one CN of a certificate; empty when there is none, or more than one, which names nobody. */
    static String commonName(X509Certificate certificate) {
        try {
            List<String> names = new LdapName(
                            certificate.getSubjectX500Principal().getName())
                    .getRdns().stream()
                            .filter(rdn -> rdn.getType().equalsIgnoreCase("CN"))
                            .map(Rdn::getValue)
                            .map(String::valueOf)
                            .toList();
            return names.size() == 1 ? names.getFirst() : "";
        } catch (InvalidNameException e) {
            return "";
        }
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        throw new CertificateException("only the HTTP client's engine is trusted here");
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        throw new CertificateException("only the HTTP client's engine is trusted here");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        throw new CertificateException("this is no server");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        throw new CertificateException("this is no server");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        throw new CertificateException("this is no server");
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return jdk.getAcceptedIssuers();
    }
}
