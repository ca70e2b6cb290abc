package io.quantadb.operator.model;

import io.quantadb.crd.v1alpha1.QuantaCluster;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * Who a cluster is, and what everything that belongs to it is called.
 *
 * @param namespace where it lives
 * @param name its name; nodes, Services and Secrets are named after it
 * @param uid tells it from an earlier cluster of the same name; founding is idempotent by it
 */
public record ClusterRef(String namespace, String name, String uid) {
    /** Label that leads from an object to its cluster. */
    public static final String CLUSTER_LABEL = "quantadb.io/cluster";

    /** Label that tells what a pod last was; informational, never on the failover path. */
    public static final String ROLE_LABEL = "quantadb.io/role";

    /** Who set an object up, in the label that Kubernetes recommends for that. */
    public static final String MANAGER = "quantadb-operator";

    public static final String MANAGER_LABEL = "app.kubernetes.io/managed-by";

    /** What everything of the operator's making is labelled with. */
    public static final String MANAGED = MANAGER_LABEL + "=" + MANAGER;

    private static final String CLAIM_PREFIX = "data-";

    public static ClusterRef of(QuantaCluster cluster) {
        var meta = cluster.getMetadata();
        return new ClusterRef(meta.getNamespace(), meta.getName(), meta.getUid());
    }

    /** The pod with this 0-based index, which is also the node's id. */
    public String pod(int index) {
        return name + "-" + index;
    }

    /** The 0-based index of a pod; -1 when the name is not one of this cluster's pods. */
    public int index(String pod) {
        String digits = pod.startsWith(name + "-") ? pod.substring(name.length() + 1) : "";
        return digits.matches("0|[1-9]\\d{0,5}") ? Integer.parseInt(digits) : -1;
    }

    /** How many instances there must be for all of these pods to be among them. */
    public int reach(Collection<String> pods) {
        return pods.stream().mapToInt(this::index).max().orElse(-1) + 1;
    }

    public List<String> pods(int count) {
        return IntStream.range(0, count).mapToObj(this::pod).toList();
    }

    /** The Service that gives every node a name, ready or not. */
    public String nodesService() {
        return name + "-nodes";
    }

    public String readWriteService() {
        return name + "-rw";
    }

    public String readOnlyService() {
        return name + "-ro";
    }

    public String configMap() {
        return name + "-config";
    }

    /** The cluster CA with its key; it never leaves the operator. */
    public String authoritySecret() {
        return name + "-ca";
    }

    /** The CA's certificate and every node's certificate and key. */
    public String tlsSecret() {
        return name + "-node-tls";
    }

    public String superuserSecret() {
        return name + "-superuser";
    }

    /** The owner of the first database, when the spec brings no Secret along. */
    public String appSecret() {
        return name + "-app";
    }

    /** The claim of the pod with this name. */
    public static String claim(String pod) {
        return CLAIM_PREFIX + pod;
    }

    /** The pod that a claim of this name is for; empty when it is for none. */
    public static String podOf(String claim) {
        return claim.startsWith(CLAIM_PREFIX) ? claim.substring(CLAIM_PREFIX.length()) : "";
    }

    /** Name by which other nodes reach a node. */
    public String nodeHost(String pod) {
        return "%s.%s.%s.svc".formatted(pod, nodesService(), namespace);
    }

    /** Name of one of the cluster's Services, as clients in any namespace use it. */
    public String serviceHost(String service) {
        return "%s.%s.svc".formatted(service, namespace);
    }

    /** What selects the cluster's pods; never changes, because a StatefulSet's selector cannot. */
    public Map<String, String> podSelector() {
        return new TreeMap<>(Map.of(
                "app.kubernetes.io/name",
                "quantadb",
                "app.kubernetes.io/instance",
                name,
                "app.kubernetes.io/component",
                "node",
                CLUSTER_LABEL,
                name));
    }

    /** What every object of the cluster is labelled with. */
    public Map<String, String> labels() {
        var labels = new TreeMap<>(podSelector());
        labels.put(MANAGER_LABEL, MANAGER);
        return labels;
    }

    /** {@link #podSelector} as one text. */
    public String selectorText() {
        return String.join(
                ",",
                podSelector().entrySet().stream()
                        .map(e -> e.getKey() + "=" + e.getValue())
                        .toList());
    }

    @Override
    public String toString() {
        return namespace + "/" + name;
    }
}
