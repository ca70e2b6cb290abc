package io.quantadb.operator.observer;

import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.quantadb.crd.v1alpha1.QuantaClusterSpec;
import io.quantadb.operator.model.ClusterRef;
import io.quantadb.operator.model.NodeConfiguration;
import io.quantadb.operator.model.ObservedCluster;
import io.quantadb.operator.model.ObservedCluster.PodFacts;
import io.quantadb.operator.nodeapi.NodeApi;
import io.quantadb.operator.nodeapi.NodeApis;
import io.quantadb.operator.pki.Credential;
import io.quantadb.operator.resource.KubernetesReads;
import io.quantadb.operator.resource.SecretShapes;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Looks at one cluster. Blocks: what Kubernetes has first, one thing after the other, then all nodes at once.
 *
 * <p>Any thread.
 */
public final class ClusterObserver {
    /**
     * What was seen, and the way to the nodes that it was seen by.
     *
     * @param api empty while there is no CA to talk to nodes with
     */
    public record Observation(ObservedCluster cluster, Optional<NodeApi> api) {}

    private final NodeApis apis;

    public ClusterObserver(NodeApis apis) {
        this.apis = apis;
    }

    /** @param spec null when the resource has none */
    public Observation observe(KubernetesReads kubernetes, ClusterRef ref, @Nullable QuantaClusterSpec spec) {
        String namespace = ref.namespace();
        Optional<Secret> authoritySecret = kubernetes.secret(namespace, ref.authoritySecret());
        Optional<Credential> authority = authoritySecret.flatMap(SecretShapes::authority);
        String app = spec == null || spec.bootstrap().secret() == null
                ? ref.appSecret()
                : spec.bootstrap().secret();
        var secrets = new ObservedCluster.Secrets(
                authoritySecret.isPresent(),
                hasPassword(kubernetes, namespace, ref.superuserSecret()),
                hasPassword(kubernetes, namespace, app));

        List<Pod> found = kubernetes.pods(namespace, ref.podSelector());
        // After the pods: a claim is made before its pod, so one that is missing now was removed. By name: a claim that
        // a person made, or brought back, need not have our labels, and a pod takes it all the same.
        List<PersistentVolumeClaim> claims = kubernetes.claims(namespace).stream()
                .filter(claim -> ref.index(ClusterRef.podOf(claim.getMetadata().getName())) >= 0)
                .toList();
        List<PodFacts> pods = pods(found, claims);
        Optional<NodeApi> api = authority.map(ca -> apis.of(ref.uid(), ref.name(), ca));
        var asked = api.map(a -> new NodeSurvey(a).ask(pods)).orElseGet(NodeSurvey.Result::nothing);

        var cluster = new ObservedCluster(
                kubernetes.budgetsAreV1(),
                secrets,
                authority.map(ca -> new ObservedCluster.Authority(
                        ca.certificate().getNotAfter().toInstant())),
                authority
                        .map(ca -> Certificates.read(kubernetes.secret(namespace, ref.tlsSecret()), ca))
                        .orElse(Map.of()),
                kubernetes.statefulSet(namespace, ref.name()).flatMap(Workloads::facts),
                kubernetes
                        .configMap(namespace, ref.configMap())
                        .map(map -> Optional.ofNullable(map.getData())
                                .orElse(Map.of())
                                .getOrDefault(NodeConfiguration.FILE, ""))
                        .flatMap(NodeConfiguration::founding),
                pods,
                claims.stream()
                        .map(claim -> ClusterRef.podOf(claim.getMetadata().getName()))
                        .collect(Collectors.toSet()),
                asked.reports(),
                asked.members());
        return new Observation(cluster, api);
    }

    private static boolean hasPassword(KubernetesReads kubernetes, String namespace, String secret) {
        return kubernetes
                .secret(namespace, secret)
                .filter(SecretShapes::hasPassword)
                .isPresent();
    }

    private static List<PodFacts> pods(List<Pod> pods, List<PersistentVolumeClaim> claims) {
        Set<String> staying = claims.stream()
                .filter(claim -> claim.getMetadata().getDeletionTimestamp() == null)
                .map(claim -> claim.getMetadata().getName())
                .collect(Collectors.toSet());
        return pods.stream()
                .map(pod -> Pods.facts(
                        pod,
                        Pods.isPending(pod)
                                && !staying.contains(
                                        ClusterRef.claim(pod.getMetadata().getName()))))
                .sorted(Comparator.comparingInt((PodFacts p) -> Pods.ordinal(p.name())))
                .toList();
    }
}
