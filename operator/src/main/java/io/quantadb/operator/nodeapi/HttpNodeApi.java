package io.quantadb.operator.nodeapi;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quantadb.operator.pki.Credential;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import javax.net.ssl.TrustManager;

/**
 * One cluster's nodes over HTTPS. Both sides show certificates of the cluster CA; the node's must name the node, checked
 * in the handshake and again on the connection that answered, which may be an older one.
 *
 * <p>Any thread. Each call ends by its deadline and reads at most {@value #BODY_BYTES_MAX} bytes.
 */
public final class HttpNodeApi implements NodeApi, AutoCloseable {
    private static final int BODY_BYTES_MAX = 1 << 20;
    private static final int WORDS_MAX = 400;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpClient client;
    private final NodeTrust trust;
    private final Duration deadline;
    private final Duration foundingDeadline;

    /**
     * @param own what the operator shows
     * @param deadline of one question
     * @param foundingDeadline of the call that founds a cluster
     */
    public HttpNodeApi(X509Certificate authority, Credential own, Duration deadline, Duration foundingDeadline) {
        this.trust = new NodeTrust(authority);
        this.deadline = deadline;
        this.foundingDeadline = foundingDeadline;
        this.client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(deadline)
                .followRedirects(HttpClient.Redirect.NEVER)
                .sslContext(context(own, trust))
                .build();
    }

    private static SSLContext context(Credential own, NodeTrust trust) {
        try {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            store.setKeyEntry("operator", own.key(), new char[0], new X509Certificate[] {own.certificate()});
            KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(store, new char[0]);
            SSLContext context = SSLContext.getInstance("TLSv1.3");
            context.init(keys.getKeyManagers(), new TrustManager[] {trust}, null);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException("the operator's certificate cannot be used", e);
        }
    }

    @Override
    public StatusAnswer status(NodeAddress node) throws IOException {
        return get(node, "/cluster/status", StatusAnswer.class);
    }

    @Override
    public NodesAnswer nodes(NodeAddress node) throws IOException {
        return get(node, "/cluster/nodes", NodesAnswer.class);
    }

    @Override
    public FoundingAnswer found(NodeAddress node, String uid) throws IOException {
        String body = JSON.createObjectNode().put("cluster", uid).toString();
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(node.url("/cluster/bootstrap")))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body));
        HttpResponse<byte[]> response = send(node, request, foundingDeadline);
        return switch (response.statusCode()) {
            case 200 -> new FoundingAnswer.Founded(clusterId(response.body(), uid));
            case 202, 503 -> new FoundingAnswer.Pending(words(response));
            default -> new FoundingAnswer.Refused(words(response));
        };
    }

    /** What the founding is remembered by; a success that does not name this very cluster is none. */
    private static String clusterId(byte[] body, String uid) throws IOException {
        String id = tree(body).path("cluster_id").asText();
        if (!id.startsWith(uid + ".")) {
            throw new IOException(
                    "it says that it founded a cluster, and names '%s' and not '%s'".formatted(shortened(id), uid));
        }
        return id;
    }

    private <T> T get(NodeAddress node, String path, Class<T> type) throws IOException {
        HttpResponse<byte[]> response =
                send(node, HttpRequest.newBuilder(URI.create(node.url(path))).GET(), deadline);
        if (response.statusCode() != 200) {
            throw new IOException("it answered %d: %s".formatted(response.statusCode(), words(response)));
        }
        T answer = JSON.readValue(response.body(), type);
        if (answer == null) {
            throw new IOException("it answered nothing");
        }
        return answer;
    }

    private HttpResponse<byte[]> send(NodeAddress node, HttpRequest.Builder request, Duration within)
            throws IOException {
        trust.expect(node);
        // The request's own timeout ends with the headers; the wait below bounds the body too.
        var answer = client.sendAsync(
                request.timeout(within).build(),
                HttpResponse.BodyHandlers.limiting(HttpResponse.BodyHandlers.ofByteArray(), BODY_BYTES_MAX));
        try {
            HttpResponse<byte[]> response = answer.get(within.toMillis(), TimeUnit.MILLISECONDS);
            requireSame(node, response.sslSession().orElseThrow(() -> new IOException("it answered without TLS")));
            return response;
        } catch (ExecutionException e) {
            throw new IOException(reason(e), e);
        } catch (TimeoutException e) {
            answer.cancel(true);
            throw new IOException("no answer within %d ms".formatted(within.toMillis()), e);
        } catch (InterruptedException e) {
            answer.cancel(true);
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    private static String reason(ExecutionException failure) {
        Throwable cause = failure.getCause() == null ? failure : failure.getCause();
        String message = cause.getMessage();
        if (message == null && cause instanceof ConnectException) {
            return "it takes no connections";
        }
        return shortened(message == null ? cause.getClass().getSimpleName() : message);
    }

    private static void requireSame(NodeAddress node, SSLSession session) throws SSLPeerUnverifiedException {
        var leaf = (X509Certificate) session.getPeerCertificates()[0];
        if (!NodeTrust.commonName(leaf).equals(node.node())) {
            throw new SSLPeerUnverifiedException("another node answered for '%s'".formatted(node.node()));
        }
    }

    private static JsonNode tree(byte[] body) throws IOException {
        return JSON.readTree(body);
    }

    /** The node's own words for a refusal, {@code error} and {@code hint}. */
    private static String words(HttpResponse<byte[]> response) {
        try {
            JsonNode body = tree(response.body());
            String words =
                    (body.path("error").asText() + "; " + body.path("hint").asText()).strip();
            return words.equals(";") ? "status " + response.statusCode() : shortened(words);
        } catch (IOException e) {
            return shortened(new String(response.body(), StandardCharsets.UTF_8));
        }
    }

    private static String shortened(String text) {
        String line = text.replaceAll("\\p{Cntrl}", " ");
        return line.length() <= WORDS_MAX ? line : line.substring(0, WORDS_MAX) + "...";
    }

    /** Ends its threads without waiting for calls under way. */
    @Override
    public void close() {
        client.shutdownNow();
    }
}
