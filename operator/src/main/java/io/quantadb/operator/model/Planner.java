package io.quantadb.operator.model;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.quantadb.crd.v1alpha1.QuantaClusterSpec;
import io.quantadb.crd.v1alpha1.QuantaClusterStatus;
import io.quantadb.operator.model.ObservedCluster.Certificate;
import io.quantadb.operator.model.ObservedCluster.NodeReport;
import io.quantadb.operator.model.ObservedCluster.PodFacts;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/**
 * Puts the steps of one reconcile in order.
 *
 * <ol>
 *   <li>Make what must exist before a pod does and is made once: CA, passwords.
 *   <li>Issue certificates that are missing, near their end, or of another CA.
 *   <li>Apply all objects, the StatefulSet last.
 *   <li>Replace pods that cannot start as they are.
 *   <li>Before there is a cluster: give the first pod the permission to found it.
 *   <li>Label pods with the roles that their nodes tell.
 * </ol>
 *
 * <p><b>The permission.</b> Two steps in two reconciles: first it is written into status that the first pod is to get
 * it, then it is given. It needs every node's own word that its disk belongs to no cluster; silence, and a node that just
 * starts, block it, and so does a volume that no pod holds (a blocking finding). It is given again while all say so (the
 * call is idempotent by the cluster's uid, and the node asks every peer itself), and never once condition
 * {@code Initialized} is true: a cluster whose volumes are all lost is a matter for a person, not for a new, empty
 * cluster under the old name.
 */
public final class Planner {
    /** How long a node's certificate is good. */
    public static final Duration CERTIFICATE_VALIDITY = Duration.ofDays(365);

    private final ClusterRef ref;
    private final QuantaClusterSpec spec;
    private final QuantaClusterStatus kept;
    private final ObservedCluster seen;
    private final Instant now;

    public Planner(
            ClusterRef ref, QuantaClusterSpec spec, QuantaClusterStatus kept, ObservedCluster seen, Instant now) {
        this.ref = ref;
        this.spec = spec;
        this.kept = kept;
        this.seen = seen;
        this.now = now;
    }

    /** The plan; with a blocking finding only what keeps a running cluster as it is. */
    public Plan plan(List<Finding> findings, ImageChoice image) {
        boolean blocked = findings.stream().anyMatch(Finding::blocking);
        int instances = blocked ? running() : Math.max(spec.instances(), running());
        var steps = new ArrayList<Step>();
        if (!blocked) {
            secrets(steps);
        }
        if (!blocked || seen.authority().isPresent()) {
            certificates(steps, instances);
        }
        if (!blocked) {
            objects(steps, image, instances);
            replacements(steps);
            permission(steps, instances);
        }
        roles(steps);
        return new Plan(steps, instances, image);
    }

    /** How many nodes there are to be by what runs; a StatefulSet that was deleted is remembered by its pods. */
    private int running() {
        return Math.max(
                seen.workload().map(ObservedCluster.Workload::replicas).orElse(0),
                ref.reach(seen.pods().stream().map(PodFacts::name).toList()));
    }

    private void secrets(List<Step> steps) {
        if (!seen.secrets().authority()) {
            steps.add(new Step.CreateAuthority());
        }
        if (!seen.secrets().superuser()) {
            steps.add(new Step.CreateSuperuserSecret());
        }
        if (!seen.secrets().app() && spec.bootstrap().secret() == null) {
            steps.add(new Step.CreateAppSecret(
                    spec.bootstrap().database(), spec.bootstrap().owner()));
        }
    }

    private void certificates(List<Step> steps, int instances) {
        List<String> due = ref.pods(instances).stream()
                .filter(pod ->
                        isDue(pod, Optional.ofNullable(seen.certificates().get(pod))))
                .toList();
        if (!due.isEmpty()) {
            steps.add(new Step.IssueCertificates(due));
        }
    }

    /** Renewed with a third of its time left, so that months of an operator's absence do no harm. */
    private boolean isDue(String pod, Optional<Certificate> found) {
        if (found.isEmpty()) {
            return true;
        }
        Certificate certificate = found.get();
        Duration validity = Duration.between(certificate.notBefore(), certificate.notAfter());
        Instant renewal = certificate.notAfter().minus(validity.dividedBy(3));
        return !certificate.ofThisAuthority()
                || now.isAfter(renewal)
                || !certificate.names().equals(new TreeSet<>(names(ref, pod)));
    }

    /** The names that a node's certificate is good for: its own, and those of the Services that lead to it. */
    public static List<String> names(ClusterRef ref, String pod) {
        var names = new ArrayList<String>();
        names.add(pod);
        names.add(ref.nodeHost(pod));
        names.add(ref.nodeHost(pod) + ".cluster.local");
        for (String service : List.of(ref.name(), ref.readWriteService(), ref.readOnlyService())) {
            names.add(service);
            names.add(service + "." + ref.namespace());
            names.add(ref.serviceHost(service));
            names.add(ref.serviceHost(service) + ".cluster.local");
        }
        names.add("localhost");
        return List.copyOf(names);
    }

    private void objects(List<Step> steps, ImageChoice image, int instances) {
        for (HasMetadata object : new DesiredObjects(ref, spec, image, instances).all(seen.budgetsAreV1())) {
            steps.add(new Step.Apply(object));
        }
    }

    private void replacements(List<Step> steps) {
        for (PodFacts pod : seen.pods()) {
            if (pod.deleting()) {
                continue;
            }
            if (pod.claimMissing()) {
                steps.add(new Step.ReplacePod(pod.name(), pod.uid(), "its volume claim is gone"));
            } else if (isOutdated(pod) && !pod.trouble().isEmpty()) {
                steps.add(new Step.ReplacePod(
                        pod.name(), pod.uid(), "its settings changed, and nothing runs in it: " + pod.trouble()));
            } else if (isOutdated(pod) && isBeforeFounding() && seen.allBlank(List.of(pod.name()))) {
                steps.add(new Step.ReplacePod(
                        pod.name(), pod.uid(), "its settings changed, and there is no cluster yet to disturb"));
            }
        }
    }

    /** Status may have been lost with an earlier resource of this name: what the node itself says is asked besides. */
    private boolean isBeforeFounding() {
        return !initialized() && kept.permission() == null;
    }

    private boolean isOutdated(PodFacts pod) {
        return seen.workload()
                .filter(ObservedCluster.Workload::upToDate)
                .map(w -> !w.updateRevision().equals(pod.revision()))
                .orElse(false);
    }

    private boolean initialized() {
        return seen.formed()
                || kept.condition("Initialized").filter(c -> c.holds()).isPresent();
    }

    private void permission(List<Step> steps, int instances) {
        if (initialized() || !seen.allBlank(ref.pods(instances))) {
            return;
        }
        String first = ref.pod(0);
        var given = kept.permission();
        steps.add(given == null ? new Step.RecordPermission(first) : new Step.GivePermission(first));
    }

    private void roles(List<Step> steps) {
        for (PodFacts pod : seen.pods()) {
            if (seen.nodes().get(pod.name()) instanceof NodeReport.Answered answered) {
                String label = Roles.label(answered.role());
                if (!label.isEmpty() && !label.equals(pod.role())) {
                    steps.add(new Step.LabelRole(pod.name(), pod.uid(), label));
                }
            }
        }
    }
}
