package io.quantadb.operator.testing;

import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.quantadb.crd.common.Condition;
import io.quantadb.crd.v1alpha1.QuantaCluster;
import io.quantadb.crd.v1alpha1.QuantaClusterStatus;
import io.quantadb.operator.model.ClusterRef;
import io.quantadb.operator.model.ObservedCluster;
import io.quantadb.operator.model.ObservedCluster.Certificate;
import io.quantadb.operator.model.ObservedCluster.MemberFacts;
import io.quantadb.operator.model.ObservedCluster.Membership;
import io.quantadb.operator.model.ObservedCluster.NodeReport;
import io.quantadb.operator.model.ObservedCluster.PodFacts;
import io.quantadb.operator.model.ObservedCluster.Workload;
import io.quantadb.operator.model.Planner;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Clusters and observations for tests. */
public final class Clusters {
    public static final Instant NOW = Instant.parse("2026-03-01T12:00:00Z");
    public static final String UID = "5f8c1c0e-0000-4000-8000-000000000001";
    public static final ClusterRef ORDERS = new ClusterRef("shop", "orders", UID);
    public static final String CLUSTER_ID = "uid.0123456789abcdef";
    public static final String REVISION = "orders-1";

    private Clusters() {}

    /** A cluster named {@code orders} in namespace {@code shop} with this spec in YAML. */
    public static QuantaCluster orders(String spec) {
        QuantaCluster cluster = Serialization.unmarshal(
                "apiVersion: quantadb.io/v1alpha1\nkind: QuantaCluster\nmetadata:\n  name: orders\nspec:\n"
                        + spec.indent(2),
                QuantaCluster.class);
        cluster.getMetadata().setNamespace("shop");
        cluster.getMetadata().setUid(UID);
        cluster.getMetadata().setGeneration(1L);
        return cluster;
    }

    public static QuantaCluster ordersOf(int instances) {
        return orders("instances: %d\nstorage: {size: 1Gi}".formatted(instances));
    }

    /** The status with one condition. */
    public static QuantaClusterStatus with(String condition, String status) {
        QuantaClusterStatus none = QuantaClusterStatus.none();
        return new QuantaClusterStatus(
                1,
                List.of(new Condition(condition, status, 1, "2026-01-01T00:00:00Z", "Test", "")),
                0,
                0,
                "",
                null,
                1,
                none.clusterId(),
                "1.0",
                "quantadb.io/node:1.0",
                null,
                null,
                List.of());
    }

    /** Builds observations; begins with nothing there. */
    public static final class Seen {
        private boolean budgetsAreV1 = true;
        private ObservedCluster.Secrets secrets = new ObservedCluster.Secrets(false, false, false);
        private boolean authority;
        private final Map<String, Certificate> certificates = new HashMap<>();
        private Optional<Workload> workload = Optional.empty();
        private Optional<ObservedCluster.Founding> founding = Optional.empty();
        private final List<PodFacts> pods = new ArrayList<>();
        private final Set<String> claims = new HashSet<>();
        private final Map<String, NodeReport> nodes = new HashMap<>();
        private final List<MemberFacts> members = new ArrayList<>();

        public static Seen nothing() {
            return new Seen();
        }

        /** All objects of a cluster with this many ready pods; nobody was asked yet. */
        public static Seen objects(int instances) {
            Seen seen = new Seen();
            seen.secrets = new ObservedCluster.Secrets(true, true, true);
            seen.authority = true;
            seen.workload = Optional.of(new Workload(instances, true, REVISION, new Quantity("1Gi"), null));
            for (String pod : ORDERS.pods(instances)) {
                seen.certificate(pod, NOW.minus(Duration.ofDays(30)), NOW.plus(Duration.ofDays(335)), true);
                seen.pod(pod, true, REVISION);
                seen.claims.add(pod);
            }
            return seen;
        }

        /** The same with a cluster formed: the first pod is primary, the others stream. */
        public static Seen serving(int instances) {
            Seen seen = objects(instances);
            for (String pod : ORDERS.pods(instances)) {
                boolean primary = pod.equals(ORDERS.pod(0));
                seen.says(pod, primary ? "PRIMARY" : "REPLICA", primary, 1);
                seen.members.add(new MemberFacts(
                        pod, primary ? "PRIMARY" : "REPLICA", primary ? "ACTIVE" : "STREAMING", true, "healthy"));
            }
            return seen;
        }

        public Seen beforeKubernetes121() {
            budgetsAreV1 = false;
            return this;
        }

        public Seen secrets(boolean ca, boolean superuser, boolean app) {
            secrets = new ObservedCluster.Secrets(ca, superuser, app);
            authority = ca;
            return this;
        }

        public Seen unreadableAuthority() {
            authority = false;
            return this;
        }

        public Seen founding(ObservedCluster.Founding of) {
            founding = Optional.of(of);
            return this;
        }

        public Seen certificate(String pod, Instant from, Instant until, boolean ofThisAuthority) {
            certificates.put(
                    pod, new Certificate(from, until, new HashSet<>(Planner.names(ORDERS, pod)), ofThisAuthority));
            return this;
        }

        public Seen pod(String name, boolean ready, String revision) {
            return pod(name, ready, revision, false, false);
        }

        public Seen pod(String name, boolean ready, String revision, boolean deleting, boolean claimMissing) {
            pods.removeIf(p -> p.name().equals(name));
            pods.add(new PodFacts(
                    name, "uid-" + name, "10.0.0." + pods.size(), ready, deleting, revision, "", claimMissing, ""));
            return this;
        }

        /** Volumes that stayed when everything else went. */
        public Seen claims(String... those) {
            claims.addAll(List.of(those));
            return this;
        }

        public Seen noWorkload() {
            workload = Optional.empty();
            return this;
        }

        /** Nothing runs in this pod. */
        public Seen troubled(String pod, String why) {
            pods.replaceAll(p -> p.name().equals(pod)
                    ? new PodFacts(
                            p.name(),
                            p.uid(),
                            p.address(),
                            false,
                            p.deleting(),
                            p.revision(),
                            p.role(),
                            p.claimMissing(),
                            why)
                    : p);
            return this;
        }

        /** Their disks belong to a cluster, and they know nothing more yet. */
        public Seen starting(String... those) {
            for (String pod : those) {
                nodes.put(
                        pod,
                        new NodeReport.Answered(Membership.STARTING, "STANDBY", false, "", 0, "starting", CLUSTER_ID));
            }
            return this;
        }

        public Seen noPods() {
            pods.clear();
            return this;
        }

        public Seen labelled(String pod, String role) {
            pods.replaceAll(p -> p.name().equals(pod)
                    ? new PodFacts(
                            p.name(),
                            p.uid(),
                            p.address(),
                            p.ready(),
                            p.deleting(),
                            p.revision(),
                            role,
                            p.claimMissing(),
                            p.trouble())
                    : p);
            return this;
        }

        public Seen says(String pod, String role, boolean serving, long epoch) {
            nodes.put(
                    pod,
                    new NodeReport.Answered(
                            Membership.MEMBER, role, serving, serving ? pod : "", epoch, "", CLUSTER_ID));
            return this;
        }

        public Seen formless(String... those) {
            for (String pod : those) {
                nodes.put(
                        pod,
                        new NodeReport.Answered(Membership.NONE, "UNKNOWN", false, "", 0, "not in a cluster yet", ""));
            }
            return this;
        }

        public Seen silent(String... those) {
            for (String pod : those) {
                nodes.put(pod, new NodeReport.Silent("no answer within 2000 ms"));
            }
            return this;
        }

        public Seen member(String pod, String role, String state) {
            members.removeIf(m -> m.name().equals(pod));
            members.add(new MemberFacts(pod, role, state, true, "healthy"));
            return this;
        }

        public ObservedCluster done() {
            return new ObservedCluster(
                    budgetsAreV1,
                    secrets,
                    authority
                            ? Optional.of(new ObservedCluster.Authority(NOW.plus(Duration.ofDays(3000))))
                            : Optional.empty(),
                    certificates,
                    workload,
                    founding,
                    pods,
                    claims,
                    nodes,
                    members);
        }
    }
}
