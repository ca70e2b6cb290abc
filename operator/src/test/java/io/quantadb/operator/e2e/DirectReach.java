package io.quantadb.operator.e2e;

import io.fabric8.kubernetes.client.KubernetesClient;

/** Straight to the addresses, which are asked once: the API server may be away when a session begins. */
final class DirectReach implements Reach {
    private static final int SQL = 5432;

    private final KubernetesClient client;
    private final String namespace;

    DirectReach(KubernetesClient client, String namespace) {
        this.client = client;
        this.namespace = namespace;
    }

    @Override
    public Door service(String name) {
        return door(client.services()
                .inNamespace(namespace)
                .withName(name)
                .get()
                .getSpec()
                .getClusterIP());
    }

    @Override
    public Door pod(String name) {
        return door(client.pods()
                .inNamespace(namespace)
                .withName(name)
                .get()
                .getStatus()
                .getPodIP());
    }

    private static Door door(String host) {
        String address = (host.contains(":") ? "[" + host + "]" : host) + ":" + SQL;
        return () -> address;
    }

    @Override
    public boolean direct() {
        return true;
    }

    @Override
    public void close() {}
}
