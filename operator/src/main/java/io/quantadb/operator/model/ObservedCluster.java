package io.quantadb.operator.model;

import io.fabric8.kubernetes.api.model.Quantity;
import io.quantadb.crd.v1alpha1.Replication;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What was there at one moment, as plain data: objects in Kubernetes, and what the nodes said of themselves.
 *
 * @param budgetsAreV1 this Kubernetes serves {@code policy/v1}; before 1.21 budgets are {@code v1beta1}
 * @param secrets which Secrets exist
 * @param authority the cluster CA; empty when its Secret is missing or cannot be read
 * @param certificates the nodes' certificates by pod
 * @param workload the StatefulSet
 * @param founding what the running configuration says of founding
 * @param pods the cluster's pods, by ordinal
 * @param claims the pods that have a volume claim, whether they exist or not; volumes outlive pods and clusters
 * @param nodes what each node said, by pod; a pod without an address was not asked
 * @param members the members as the best informed node knows them
 */
public record ObservedCluster(
        boolean budgetsAreV1,
        Secrets secrets,
        Optional<Authority> authority,
        Map<String, Certificate> certificates,
        Optional<Workload> workload,
        Optional<Founding> founding,
        List<PodFacts> pods,
        Set<String> claims,
        Map<String, NodeReport> nodes,
        List<MemberFacts> members) {
    public ObservedCluster {
        certificates = Map.copyOf(certificates);
        pods = List.copyOf(pods);
        claims = new TreeSet<>(claims);
        nodes = new TreeMap<>(nodes);
        members = List.copyOf(members);
    }

    /**
     * Which Secrets exist.
     *
     * @param authority the cluster CA's
     * @param superuser the superuser's password
     * @param app the password of the first database's owner, wherever the spec says that it is
     */
    public record Secrets(boolean authority, boolean superuser, boolean app) {}

    /** The cluster CA. */
    public record Authority(Instant notAfter) {}

    /**
     * A node's certificate.
     *
     * @param names what it is good for, DNS names and addresses
     * @param ofThisAuthority whether the cluster's present CA signed it
     */
    public record Certificate(Instant notBefore, Instant notAfter, Set<String> names, boolean ofThisAuthority) {
        public Certificate {
            names = Set.copyOf(names);
        }
    }

    /**
     * The StatefulSet.
     *
     * @param upToDate its controller has seen its present generation
     * @param updateRevision the revision that new pods get
     */
    public record Workload(
            int replicas,
            boolean upToDate,
            String updateRevision,
            Quantity storageSize,
            @Nullable String storageClassName) {}

    /** What the cluster was, or is to be, founded with. */
    public record Founding(String database, String owner, Replication.Mode mode) {}

    /**
     * A pod.
     *
     * @param address its IP; empty until it has one
     * @param revision the revision of the StatefulSet that it was made from
     * @param role its role label; empty when it has none
     * @param claimMissing it waits for a volume claim that is not there
     * @param trouble why nothing runs in it, in Kubernetes' words; empty while something runs or just starts
     */
    public record PodFacts(
            String name,
            String uid,
            String address,
            boolean ready,
            boolean deleting,
            String revision,
            String role,
            boolean claimMissing,
            String trouble) {}

    /** What a node says of its disk. */
    public enum Membership {
        /** It belongs to no cluster: one may be founded there. */
        NONE,
        /** It belongs to one whose members the node does not know yet. */
        STARTING,
        /** It belongs to one, and the node knows its members. */
        MEMBER,
        /** The node did not tell: an older one, or one that contradicts itself. */
        UNKNOWN
    }

    /** What a node said. */
    public sealed interface NodeReport {
        /**
         * It answered.
         *
         * @param membership whether its disk belongs to a cluster
         * @param serving writes are served through it at this moment: it is primary and holds the lease
         * @param primary whom it takes for primary; empty when nobody
         * @param reason why it cannot play its part; empty when it can
         * @param clusterId of the cluster that its disk belongs to; empty for none, and when it did not tell
         */
        record Answered(
                Membership membership,
                String role,
                boolean serving,
                String primary,
                long epoch,
                String reason,
                String clusterId)
                implements NodeReport {
            /** Whether it knows of a cluster. */
            public boolean formed() {
                return membership == Membership.MEMBER;
            }

            /**
             * Whether it says itself that it belongs to no cluster. Not the opposite of {@link #formed}: a member that
             * starts knows of no members for a while.
             */
            public boolean blank() {
                return membership == Membership.NONE;
            }
        }

        /** It did not, and why. */
        record Silent(String why) implements NodeReport {}
    }

    /** One member, as the best informed node knows it. */
    public record MemberFacts(String name, String role, String state, boolean voter, String health) {
        /** Whether it holds up its end: the primary serves, a replica streams. */
        public boolean well() {
            return state.equals("ACTIVE") || state.equals("STREAMING");
        }
    }

    /** All nodes that answered, by pod. */
    public Map<String, NodeReport.Answered> answers() {
        var answers = new TreeMap<String, NodeReport.Answered>();
        nodes.forEach((pod, report) -> {
            if (report instanceof NodeReport.Answered answered) {
                answers.put(pod, answered);
            }
        });
        return answers;
    }

    /** Whether any node knows of a cluster. */
    public boolean formed() {
        return answers().values().stream().anyMatch(NodeReport.Answered::formed);
    }

    /** The id of the cluster that nodes play their part in; empty while none tells one. */
    public Optional<String> clusterId() {
        return answers().values().stream()
                .filter(NodeReport.Answered::formed)
                .map(NodeReport.Answered::clusterId)
                .filter(id -> !id.isEmpty())
                .findFirst();
    }

    /** Whether each of these pods' nodes said that it belongs to no cluster. */
    public boolean allBlank(List<String> those) {
        return those.stream()
                .allMatch(pod -> nodes.get(pod) instanceof NodeReport.Answered answered && answered.blank());
    }

    /** The node that serves writes; the one of the highest epoch should two claim it. */
    public Optional<String> serving() {
        return answers().entrySet().stream()
                .filter(e -> e.getValue().serving())
                .max(Map.Entry.comparingByValue((a, b) -> Long.compare(a.epoch(), b.epoch())))
                .map(Map.Entry::getKey);
    }

    /** The highest epoch that a node knows; 0 when none does. */
    public long epoch() {
        return answers().values().stream()
                .mapToLong(NodeReport.Answered::epoch)
                .max()
                .orElse(0);
    }

    public long readyPods() {
        return pods.stream().filter(PodFacts::ready).count();
    }
}
