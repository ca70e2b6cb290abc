package io.quantadb.operator.nodeapi;

import static io.quantadb.operator.testing.TestingTlsNode.says;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpHandler;
import io.quantadb.operator.pki.CertificateIssuer;
import io.quantadb.operator.pki.Credential;
import io.quantadb.operator.testing.TestingTlsNode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever does not prove to be the node, or does not answer as one, counts as silent: never as a node without cluster. */
class HttpNodeApiTest {
    private static final Duration DEADLINE = Duration.ofSeconds(5);
    private static final Duration SHORT = Duration.ofMillis(300);
    private static final String UID = "5f8c1c0e-0000-4000-8000-000000000001";
    private static final String STATUS = """
            {"node": {"id": "orders-0", "role": "PRIMARY", "serving": true, "lease": true, "new": 1},
             "failover": {"epoch": 4, "reason": ""},
             "cluster": {"primary": "orders-0", "member_count": 3}, "later": {}}""";

    private final CertificateIssuer issuer = new CertificateIssuer(new SecureRandom(), InstantSource.system());
    private final Credential authority = issuer.authority("orders");
    private final CountDownLatch over = new CountDownLatch(1);
    private final List<AutoCloseable> open = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        over.countDown();
        for (AutoCloseable each : open) {
            each.close();
        }
    }

    private Credential certificate(Credential ca, String node) {
        return issuer.node(ca, "orders", node, List.of(node), Duration.ofDays(1));
    }

    private TestingTlsNode node(Credential shown, HttpHandler answer) {
        var node = new TestingTlsNode(shown, authority.certificate(), answer);
        open.add(node);
        return node;
    }

    private TestingTlsNode orders0(HttpHandler answer) {
        return node(certificate(authority, "orders-0"), answer);
    }

    private HttpNodeApi api(Duration deadline) {
        var api = new HttpNodeApi(
                authority.certificate(), issuer.operator(authority, "orders", Duration.ofDays(1)), deadline, deadline);
        open.add(api);
        return api;
    }

    private void assertSilent(TestingTlsNode node, String expected, Duration deadline, String words) {
        assertThatThrownBy(() -> api(deadline).status(node.as(expected)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(words);
    }

    @Test
    void readsTheStatusOfTheNodeThatItExpects() throws Exception {
        StatusAnswer status = api(DEADLINE).status(orders0(says(200, STATUS)).as("orders-0"));
        assertThat(status.node().serving()).isTrue();
        assertThat(status.failover().epoch()).isEqualTo(4);
        assertThat(status.cluster().memberCount()).isEqualTo(3);
        assertThat(status.cluster().membership())
                .as("not told by an older node")
                .isEmpty();
    }

    @Test
    void anotherNodeOfTheClusterAtThatAddressIsNotHeard() {
        TestingTlsNode other = node(certificate(authority, "orders-1"), says(200, STATUS));
        assertSilent(other, "orders-0", DEADLINE, "where node 'orders-0' should be");
        assertThat(other.requests()).isEmpty();
    }

    @Test
    void anAddressThatChangedHandsIsNotHeardOverAnOldConnection() throws Exception {
        TestingTlsNode node = orders0(says(200, STATUS));
        HttpNodeApi api = api(DEADLINE);
        api.status(node.as("orders-0"));
        assertThatThrownBy(() -> api.status(node.as("orders-1")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("another node answered for 'orders-1'");
    }

    @Test
    void aNodeOfAnotherClusterIsNotHeardThoughItBearsTheSameNames() {
        Credential foreign = issuer.authority("orders");
        TestingTlsNode stranger = node(certificate(foreign, "orders-0"), says(200, STATUS));
        assertSilent(stranger, "orders-0", DEADLINE, "certificate");
        assertThat(stranger.requests()).isEmpty();
    }

    @Test
    void anExpiredCertificateIsNotHeard() {
        var earlier = new CertificateIssuer(
                new SecureRandom(), InstantSource.fixed(Instant.now().minus(Duration.ofDays(30))));
        Credential expired = earlier.node(authority, "orders", "orders-0", List.of("orders-0"), Duration.ofDays(1));
        TestingTlsNode node = node(expired, says(200, STATUS));
        assertSilent(node, "orders-0", DEADLINE, "validity check failed");
        assertThat(node.requests()).isEmpty();
    }

    @Test
    void aRolesCertificateIsNoNodes() {
        TestingTlsNode node = node(issuer.operator(authority, "orders", Duration.ofDays(1)), says(200, STATUS));
        assertSilent(node, "orders-0", DEADLINE, "");
        assertThat(node.requests()).isEmpty();
    }

    @Test
    void aNodeThatDoesNotTrustTheOperatorIsSilent() {
        var node = new TestingTlsNode(
                certificate(authority, "orders-0"), issuer.authority("other").certificate(), says(200, STATUS));
        open.add(node);
        assertSilent(node, "orders-0", DEADLINE, "");
        assertThat(node.requests()).isEmpty();
    }

    @Test
    void plainTextIsNotHeard() throws Exception {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Thread.ofVirtual().start(() -> answerPlainly(socket));
            var address = new NodeAddress("orders-0", "127.0.0.1", socket.getLocalPort());
            assertThatThrownBy(() -> api(DEADLINE).status(address)).isInstanceOf(IOException.class);
        }
    }

    private static void answerPlainly(ServerSocket socket) {
        try (var connection = socket.accept()) {
            connection
                    .getOutputStream()
                    .write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
                            .getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Test
    void nobodyThereIsSilent() throws Exception {
        int port;
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = socket.getLocalPort();
        }
        assertThatThrownBy(() -> api(DEADLINE).status(new NodeAddress("orders-0", "127.0.0.1", port)))
                .isInstanceOf(IOException.class);
    }

    @Test
    void waitsNoLongerThanItsDeadlineForAnAnswerToBegin() {
        TestingTlsNode node = orders0(exchange -> await());
        assertSilent(node, "orders-0", SHORT, "");
    }

    @Test
    void waitsNoLongerThanItsDeadlineForAnAnswerToEnd() {
        TestingTlsNode node = orders0(exchange -> {
            exchange.sendResponseHeaders(200, 1000);
            exchange.getResponseBody().write('{');
            exchange.getResponseBody().flush();
            await();
        });
        assertSilent(node, "orders-0", SHORT, "no answer within 300 ms");
    }

    private void await() {
        try {
            over.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void readsNoMoreThanAMebibyte() {
        TestingTlsNode node = orders0(says(200, "{\"node\": \"" + "x".repeat(2 << 20) + "\"}"));
        assertSilent(node, "orders-0", DEADLINE, "");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "null",
                "{",
                "[]",
                "{}",
                "{\"node\": null, \"failover\": {}, \"cluster\": {}}",
                "{\"node\": {\"id\": \"orders-0\", \"role\": \"X\"}, \"failover\": {\"epoch\": 0}, \"cluster\": {\"primary\": \"\"}}",
                "{\"node\": {\"id\": \"orders-0\"}, \"failover\": {\"reason\": \"not in a cluster yet\"}, \"cluster\": {\"primary\": \"\"}}",
                "{\"node\": {\"id\": \"orders-0\", \"role\": \"X\"}, \"failover\": {\"reason\": \"\"}, \"cluster\": {}}",
                "<html>not in a cluster yet</html>"
            })
    void anAnswerThatIsNoStatusIsSilence(String body) {
        assertSilent(orders0(says(200, body)), "orders-0", DEADLINE, "");
    }

    @ParameterizedTest
    @ValueSource(ints = {204, 302, 401, 403, 404, 429, 500, 503})
    void anythingButSuccessIsSilence(int status) {
        assertSilent(orders0(says(status, status == 204 ? "" : STATUS)), "orders-0", DEADLINE, "it answered " + status);
    }

    @Test
    void repeatsTheNodesOwnWordsInOneShortLine() {
        String body = "{\"error\": \"a\\nb\", \"hint\": \"%s\"}".formatted("h".repeat(1000));
        assertThatThrownBy(() -> api(DEADLINE).status(orders0(says(503, body)).as("orders-0")))
                .hasMessageStartingWith("it answered 503: a b; hhh")
                .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(450));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"nodes\": null}",
                "{\"nodes\": [null]}",
                "{\"nodes\": [{\"id\": \"orders-0\"}]}",
                "{\"nodes\": [{\"role\": \"PRIMARY\", \"state\": \"ACTIVE\", \"health\": \"healthy\"}]}"
            })
    void aListOfMembersThatLacksSomethingIsNone(String body) {
        assertThatThrownBy(() -> api(DEADLINE).nodes(orders0(says(200, body)).as("orders-0")))
                .isInstanceOf(IOException.class);
    }

    @Test
    void readsTheMembers() throws Exception {
        String body = """
                {"nodes": [{"id": "orders-1", "role": "REPLICA", "state": "STREAMING", "health": "healthy",
                            "is_voter": true, "lag_bytes": 0}]}""";
        assertThat(api(DEADLINE).nodes(orders0(says(200, body)).as("orders-0")).nodes())
                .containsExactly(new NodesAnswer.Member("orders-1", "REPLICA", "STREAMING", "healthy", true));
    }

    @Test
    void foundsByTheUidAndRemembersWhatItBecame() throws Exception {
        TestingTlsNode node = orders0(says(200, "{\"cluster_id\": \"%s.0123456789abcdef\"}".formatted(UID)));
        assertThat(api(DEADLINE).found(node.as("orders-0"), UID))
                .isEqualTo(new FoundingAnswer.Founded(UID + ".0123456789abcdef"));
        assertThat(node.requests()).containsExactly("POST /cluster/bootstrap {\"cluster\":\"%s\"}".formatted(UID));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{}", "{", "{\"cluster_id\": \"\"}", "{\"cluster_id\": \"another.0123456789abcdef\"}"})
    void aSuccessThatDoesNotNameThisClusterIsNotBelieved(String body) {
        assertThatThrownBy(() -> api(DEADLINE).found(orders0(says(200, body)).as("orders-0"), UID))
                .isInstanceOf(IOException.class);
    }

    @ParameterizedTest
    @ValueSource(ints = {202, 503})
    void foundingThatGoesOnIsAskedForAgain(int status) throws Exception {
        TestingTlsNode node = orders0(says(status, "{\"error\": \"founding\", \"hint\": \"ask again\"}"));
        assertThat(api(DEADLINE).found(node.as("orders-0"), UID))
                .isEqualTo(new FoundingAnswer.Pending("founding; ask again"));
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 401, 403, 409, 500})
    void aRefusalToFoundIsToldInTheNodesWords(int status) throws Exception {
        TestingTlsNode node = orders0(says(status, "{\"error\": \"no\", \"hint\": \"because\"}"));
        assertThat(api(DEADLINE).found(node.as("orders-0"), UID)).isEqualTo(new FoundingAnswer.Refused("no; because"));
    }

    @Test
    void asksNobodyToFoundWhoIsNotTheNode() {
        TestingTlsNode other = node(certificate(authority, "orders-1"), says(200, STATUS));
        assertThatThrownBy(() -> api(DEADLINE).found(other.as("orders-0"), UID)).isInstanceOf(IOException.class);
        assertThat(other.requests()).isEmpty();
    }
}
