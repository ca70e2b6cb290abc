package io.quantadb.operator.e2e;

import static io.quantadb.operator.e2e.TestCluster.say;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import org.awaitility.core.ConditionTimeoutException;
import org.jspecify.annotations.Nullable;

/** How the tests' SQL sessions get into the cluster. Any thread. */
interface Reach extends AutoCloseable {
    /** Where one session after the other goes in. */
    @FunctionalInterface
    interface Door {
        /** host:port for a new session; asked for each, because the next may have to go elsewhere. */
        String address();
    }

    /** Port 5432 of this Service. */
    Door service(String name);

    /** This very pod's own PostgreSQL, or whatever pod has its name later. */
    Door pod(String name);

    /** Whether sessions need nothing of the API server. */
    boolean direct();

    @Override
    void close();

    /** The ways there are. */
    enum Way {
        /** To the addresses of Services and pods. */
        DIRECT,
        /** Through the API server to a pod that stands behind the Service at that moment. */
        FORWARD
    }

    /**
     * @param wanted what a person insists on: {@code direct}, {@code forward}, or null
     * @param reached whether the addresses of a Service and of a pod behind it can be reached from here
     */
    static Way choose(@Nullable String wanted, boolean reached) {
        if (wanted == null || wanted.isBlank()) {
            return reached ? Way.DIRECT : Way.FORWARD;
        }
        return switch (wanted) {
            case "direct" -> Way.DIRECT;
            case "forward" -> Way.FORWARD;
            default -> throw new IllegalArgumentException("E2E_REACH=%s: say direct or forward".formatted(wanted));
        };
    }

    /**
     * The way to a cluster; says which when it is not the plain one.
     *
     * @param service one that has a pod behind it, or soon will
     */
    static Reach to(KubernetesClient client, String namespace, String service) {
        var direct = new DirectReach(client, namespace);
        Way way = choose(System.getenv("E2E_REACH"), answers(direct, client, namespace, service));
        if (way == Way.DIRECT) {
            return direct;
        }
        say(
                "sessions go through port-forwards, because this machine does not reach the cluster's addresses (or was told so): gaps are longer by what that costs");
        return new ForwardedReach(client, namespace);
    }

    private static boolean answers(DirectReach direct, KubernetesClient client, String namespace, String service) {
        await("a ready pod behind Service " + service)
                .atMost(Duration.ofMinutes(2))
                .until(() -> !ForwardedReach.behind(client, namespace, service).isEmpty());
        String pod =
                ForwardedReach.behind(client, namespace, service).getFirst().pod();
        try {
            // The rules for a Service may be a moment younger than its endpoints.
            await().atMost(Duration.ofSeconds(10))
                    .until(() -> opens(direct.service(service).address())
                            && opens(direct.pod(pod).address()));
            return true;
        } catch (ConditionTimeoutException e) {
            return false;
        }
    }

    private static boolean opens(String address) {
        int colon = address.lastIndexOf(':');
        try (var socket = new Socket()) {
            socket.connect(
                    new InetSocketAddress(address.substring(0, colon), Integer.parseInt(address.substring(colon + 1))),
                    (int) Duration.ofSeconds(3).toMillis());
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
