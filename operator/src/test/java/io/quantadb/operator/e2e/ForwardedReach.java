package io.quantadb.operator.e2e;

import io.fabric8.kubernetes.api.model.EndpointAddress;
import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.LocalPortForward;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * Through port-forwards of the API server, for clusters whose Services and pods cannot be reached from here. A Service is
 * what it is to kube-proxy: one of its ready endpoints for each new session, in turn.
 */
final class ForwardedReach implements Reach {
    private static final int SQL = 5432;

    /** Nothing listens there: what a session finds while nobody stands behind a Service. */
    private static final String NOBODY = "127.0.0.1:1";

    /** A pod and the port of it that a Service leads to. */
    record Target(String pod, String uid, int port) {}

    private final KubernetesClient client;
    private final String namespace;
    private final AtomicInteger turn = new AtomicInteger();
    private final Map<Target, LocalPortForward> forwards = new HashMap<>();

    ForwardedReach(KubernetesClient client, String namespace) {
        this.client = client;
        this.namespace = namespace;
    }

    /** The ready pods behind a Service. */
    static List<Target> behind(KubernetesClient client, String namespace, String service) {
        return Optional.ofNullable(client.endpoints()
                        .inNamespace(namespace)
                        .withName(service)
                        .get())
                .map(ForwardedReach::targets)
                .orElse(List.of());
    }

    static List<Target> targets(Endpoints endpoints) {
        return endpoints.getSubsets().stream()
                .flatMap(subset -> addresses(subset.getAddresses())
                        .map(address -> new Target(
                                address.getTargetRef().getName(),
                                address.getTargetRef().getUid(),
                                subset.getPorts().getFirst().getPort())))
                .toList();
    }

    private static Stream<EndpointAddress> addresses(List<EndpointAddress> ready) {
        return Optional.ofNullable(ready).orElse(List.of()).stream().filter(a -> a.getTargetRef() != null);
    }

    @Override
    public Door service(String name) {
        return () -> {
            List<Target> targets = behind(client, namespace, name);
            return targets.isEmpty()
                    ? NOBODY
                    : address(targets.get(Math.floorMod(turn.getAndIncrement(), targets.size())));
        };
    }

    @Override
    public Door pod(String name) {
        return () -> Optional.ofNullable(
                        client.pods().inNamespace(namespace).withName(name).get())
                .map(pod -> address(new Target(name, pod.getMetadata().getUid(), SQL)))
                .orElse(NOBODY);
    }

    /** A forward that met an error is opened anew: that of a container that was killed stays broken. */
    private synchronized String address(Target target) {
        LocalPortForward forward = forwards.get(target);
        if (forward == null || !forward.isAlive() || forward.errorOccurred()) {
            close(forward);
            forward = client.pods()
                    .inNamespace(namespace)
                    .withName(target.pod())
                    .portForward(target.port(), InetAddress.getLoopbackAddress(), 0);
            forwards.put(target, forward);
        }
        return "127.0.0.1:" + forward.getLocalPort();
    }

    private static void close(@org.jspecify.annotations.Nullable LocalPortForward forward) {
        try {
            if (forward != null) {
                forward.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public boolean direct() {
        return false;
    }

    @Override
    public synchronized void close() {
        forwards.values().forEach(ForwardedReach::close);
        forwards.clear();
    }
}
