package io.quantadb.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeException;
import io.quantadb.node.pki.NodeCredentials;
import io.quantadb.node.pki.TlsFiles;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.Proxy;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/** Asks nodes over their HTTP API; blocking, with short deadlines. A node that does not answer is simply absent. */
public final class ClusterClient {
    private static final int ANSWER_BYTES_MAX = 1 << 20;
    private static final int CONNECT_MS = 500;
    private static final int READ_MS = 1_000;
    /** Longer than a node takes to answer a change. */
    private static final int CHANGE_MS = 25_000;

    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final @Nullable SSLSocketFactory tls;

    /** @param caFile PEM file of whom to trust over HTTPS; null for plain HTTP */
    public ClusterClient(@Nullable Path caFile) {
        this.tls = caFile == null ? null : trusting(caFile, null);
    }

    private ClusterClient(SSLSocketFactory tls) {
        this.tls = tls;
    }

    /** One that shows a certificate, as the API wants it off loopback. */
    public static ClusterClient showing(Path caFile, Path certFile, Path keyFile) {
        NodeCredentials own;
        try {
            own = NodeCredentials.load(
                    new TlsFiles(caFile, certFile, keyFile),
                    InstantSource.system().instant());
        } catch (NodeException.LocalFault e) {
            throw new Failure(ExitCode.CERTIFICATE, String.valueOf(e.getMessage()), "", e);
        }
        return new ClusterClient(trusting(caFile, own));
    }

    private static KeyManager[] keys(NodeCredentials own) throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        char[] none = new char[0];
        store.setKeyEntry("own", own.key(), none, own.chain().toArray(X509Certificate[]::new));
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, none);
        return keys.getKeyManagers();
    }

    /** TLS that trusts this CA, and shows a certificate where it has one. */
    static SSLSocketFactory trusting(Path caFile, @Nullable NodeCredentials own) {
        try (InputStream in = Files.newInputStream(caFile)) {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            int count = 0;
            for (var certificate : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                store.setCertificateEntry("ca" + count++, certificate);
            }
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(store);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(own == null ? null : keys(own), trust.getTrustManagers(), null);
            return context.getSocketFactory();
        } catch (NoSuchFileException e) {
            throw new Failure(
                    ExitCode.CERTIFICATE,
                    "%s does not exist".formatted(caFile),
                    "name the ca.crt that quantadb init made",
                    e);
        } catch (IOException | GeneralSecurityException e) {
            throw new Failure(
                    ExitCode.CERTIFICATE,
                    "%s cannot be read as the cluster's CA: %s".formatted(caFile, e.getMessage()),
                    "name the ca.crt that quantadb init made",
                    e);
        }
    }

    /** What {@code /cluster/nodes} of one node says. */
    public record View(HostPort askedAt, JsonNode body) {
        public long epoch() {
            return body.path("epoch").asLong();
        }

        public String primary() {
            return body.path("primary").asText();
        }

        public String leader() {
            return body.path("leader").asText();
        }

        boolean fromLeader() {
            return leader().equals(body.path("answered_by").asText());
        }
    }

    /**
     * An answer to a change.
     *
     * @param status HTTP's
     */
    public record Reply(int status, JsonNode body) {}

    /** GETs a path; empty when there is no answer in time or it is not JSON. */
    public Optional<JsonNode> get(HostPort api, String path) {
        return ask(api, path) instanceof ApiAnswer.Told(int _, JsonNode body) ? Optional.of(body) : Optional.empty();
    }

    private ApiAnswer ask(HostPort api, String path) {
        try {
            HttpURLConnection connection = open(api, path, READ_MS);
            int status = connection.getResponseCode();
            try (InputStream in = status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
                return in == null
                        ? new ApiAnswer.Silent("it answered with status %d and nothing more".formatted(status), false)
                        : new ApiAnswer.Told(status, MAPPER.readTree(in.readNBytes(ANSWER_BYTES_MAX)));
            } finally {
                connection.disconnect();
            }
        } catch (IOException e) {
            return ApiAnswer.silent(e);
        } catch (IllegalArgumentException e) {
            return new ApiAnswer.Silent("this is no address", false);
        }
    }

    /**
     * POSTs a JSON object; empty when there is no answer in time or it is not JSON, and then nobody knows what came of it.
     *
     * @param token the node's own, on loopback; null where a certificate is shown
     */
    public Optional<Reply> post(HostPort api, String path, JsonNode body, @Nullable String token) {
        try {
            HttpURLConnection connection = open(api, path, CHANGE_MS);
            connection.setRequestMethod("POST");
            connection.setRequestProperty("Content-Type", "application/json");
            if (token != null) {
                connection.setRequestProperty("Authorization", "Bearer " + token);
            }
            connection.setDoOutput(true);
            try (OutputStream out = connection.getOutputStream()) {
                out.write(MAPPER.writeValueAsBytes(body));
            }
            return answer(connection);
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private HttpURLConnection open(HostPort api, String path, int readMs) throws IOException {
        var connection = (HttpURLConnection) URI.create((tls == null ? "http://" : "https://") + api + path)
                .toURL()
                .openConnection(Proxy.NO_PROXY);
        if (connection instanceof HttpsURLConnection https) {
            https.setSSLSocketFactory(tls);
        }
        connection.setConnectTimeout(CONNECT_MS);
        connection.setReadTimeout(readMs);
        return connection;
    }

    private static Optional<Reply> answer(HttpURLConnection connection) throws IOException {
        int status = connection.getResponseCode();
        try (InputStream in = status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
            return in == null
                    ? Optional.empty()
                    : Optional.of(new Reply(status, MAPPER.readTree(in.readNBytes(ANSWER_BYTES_MAX))));
        } finally {
            connection.disconnect();
        }
    }

    /** Asks all of these at the same time, so that one that is silent delays nobody but itself. */
    Survey survey(List<HostPort> apis) {
        Map<HostPort, Future<ApiAnswer>> asked = new LinkedHashMap<>();
        try (ExecutorService each = Executors.newVirtualThreadPerTaskExecutor()) {
            apis.forEach(api -> asked.put(api, each.submit(() -> ask(api, "/cluster/nodes"))));
        }
        Map<HostPort, ApiAnswer> answers = new LinkedHashMap<>();
        asked.forEach((api, answer) -> answers.put(api, answer.resultNow()));
        return new Survey(Collections.unmodifiableMap(answers));
    }

    /** The best-informed answer of several nodes: the leader's of the highest term, else that of the highest epoch. */
    public Optional<View> nodes(List<HostPort> apis) {
        return survey(apis).best();
    }
}
