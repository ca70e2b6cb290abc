package io.quantadb.operator.validation;

import io.quantadb.crd.v1alpha1.Bootstrap;
import io.quantadb.crd.v1alpha1.QuantaClusterSpec;
import io.quantadb.crd.v1alpha1.QuantaClusterStatus;
import io.quantadb.crd.v1alpha1.Storage;
import io.quantadb.operator.model.ClusterRef;
import io.quantadb.operator.model.Finding;
import io.quantadb.operator.model.ObservedCluster;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Finds what the operator cannot get past without a person. Pure. */
public final class ClusterValidator {
    /** Leaves room for what pods, claims and revisions add within Kubernetes' 63 characters. */
    static final int NAME_CHARS_MAX = 46;

    private static final int INSTANCES_MAX = 7;
    private static final Pattern DNS_LABEL = Pattern.compile("[a-z]([a-z0-9-]*[a-z0-9])?");
    private static final Pattern ROLE = Pattern.compile(Bootstrap.NAME);

    /** A cluster's name is its certificates' organisation; these are the organisations of roles. */
    private static final Set<String> RESERVED = Set.of("quantadb-operator", "quantadb-viewer");

    /** Cluster {@code a-rw} would share its Service with cluster {@code a}. */
    private static final List<String> SERVICE_ENDINGS = List.of("-rw", "-ro", "-nodes");

    private ClusterValidator() {}

    /**
     * All findings, the gravest first.
     *
     * @param spec null when the object has none, which a Kubernetes that checks schemas does not let pass
     */
    public static List<Finding> findings(
            ClusterRef ref, @Nullable QuantaClusterSpec spec, QuantaClusterStatus kept, ObservedCluster seen) {
        var findings = new ArrayList<Finding>();
        if (spec == null) {
            return List.of(invalid("the resource has no spec: give it one, see examples/01-quickstart.yaml"));
        }
        name(ref, findings);
        values(spec, findings);
        if (findings.isEmpty()) {
            changes(spec, seen, findings);
            secrets(ref, spec, kept, seen, findings);
            data(ref, spec, kept, seen, findings);
            volumes(ref, spec, seen, findings);
            scale(spec, seen, findings);
        }
        return List.copyOf(findings);
    }

    private static Finding invalid(String message) {
        return new Finding("InvalidSpec", message, true);
    }

    private static void name(ClusterRef ref, List<Finding> findings) {
        if (ref.name().length() > NAME_CHARS_MAX
                || !DNS_LABEL.matcher(ref.name()).matches()) {
            findings.add(invalid(
                    "metadata.name '%s' cannot name a cluster: Services and pods are named after it, so use at most %d lower-case letters, digits and '-', a letter first"
                            .formatted(ref.name(), NAME_CHARS_MAX)));
        }
        if (SERVICE_ENDINGS.stream().anyMatch(ref.name()::endsWith)) {
            findings.add(
                    invalid("metadata.name '%s' ends like the Services of another cluster (%s): choose another name"
                            .formatted(ref.name(), String.join(", ", SERVICE_ENDINGS))));
        }
        if (RESERVED.contains(ref.name())) {
            findings.add(invalid("metadata.name '%s' is reserved: choose another".formatted(ref.name())));
        }
    }

    private static void values(QuantaClusterSpec spec, List<Finding> findings) {
        if (spec.instances() < 1 || spec.instances() > INSTANCES_MAX) {
            findings.add(
                    invalid("spec.instances is %d and must be 1 to %d".formatted(spec.instances(), INSTANCES_MAX)));
        }
        Storage storage = spec.storage();
        if (storage == null
                || storage.size() == null
                || storage.size().getNumericalAmount().signum() <= 0) {
            findings.add(invalid("spec.storage.size is missing or not above zero: set it, for example to 10Gi"));
        }
        for (String name : List.of(spec.bootstrap().database(), spec.bootstrap().owner())) {
            if (!ROLE.matcher(name).matches()) {
                findings.add(invalid(
                        "spec.bootstrap: '%s' cannot be a name; use lower-case letters, digits and '_', at most 63, no digit first"
                                .formatted(name)));
            }
        }
        if (Set.of("postgres", "template0", "template1")
                        .contains(spec.bootstrap().database())
                || spec.bootstrap().owner().startsWith("pg_")
                || spec.bootstrap().owner().startsWith("quantadb_")
                || spec.bootstrap().owner().equals("postgres")) {
            findings.add(invalid(
                    "spec.bootstrap: database '%s' or owner '%s' is PostgreSQL's or QuantaDB's own; choose others"
                            .formatted(
                                    spec.bootstrap().database(),
                                    spec.bootstrap().owner())));
        }
        for (String violation : ParameterRules.violations(spec.postgresql().parameters())) {
            findings.add(invalid("spec.postgresql.parameters: " + violation));
        }
    }

    /** What is chosen once. Newer Kubernetes refuses these changes itself. */
    private static void changes(QuantaClusterSpec spec, ObservedCluster seen, List<Finding> findings) {
        seen.workload().ifPresent(workload -> {
            Storage storage = spec.storage();
            boolean sameClass = storage.storageClassName() == null
                    || Objects.equals(storage.storageClassName(), workload.storageClassName());
            if (!sameClass
                    || storage.size()
                                    .getNumericalAmount()
                                    .compareTo(workload.storageSize().getNumericalAmount())
                            != 0) {
                findings.add(invalid(
                        "spec.storage differs from the volumes that there are (%s): storage cannot be changed in this version, set it back"
                                .formatted(workload.storageSize())));
            }
        });
        seen.founding().ifPresent(founding -> {
            if (!founding.database().equals(spec.bootstrap().database())
                    || !founding.owner().equals(spec.bootstrap().owner())) {
                findings.add(invalid(
                        "spec.bootstrap is used once, when the cluster is founded, with database '%s' and owner '%s': set it back"
                                .formatted(founding.database(), founding.owner())));
            }
            if (founding.mode() != spec.replication().mode()) {
                findings.add(
                        invalid("spec.replication.mode is chosen when the cluster is founded, and was %s: set it back"
                                .formatted(founding.mode())));
            }
        });
    }

    private static void secrets(
            ClusterRef ref,
            QuantaClusterSpec spec,
            QuantaClusterStatus kept,
            ObservedCluster seen,
            List<Finding> findings) {
        String own = spec.bootstrap().secret();
        if (own != null && !seen.secrets().app()) {
            findings.add(new Finding(
                    "SecretMissing",
                    "Secret '%s', which spec.bootstrap.secret names, does not exist or has no key 'password': make it in namespace '%s'"
                            .formatted(own, ref.namespace()),
                    true));
        }
        if (seen.secrets().authority() && seen.authority().isEmpty()) {
            findings.add(new Finding(
                    "SecretUnreadable",
                    "Secret '%s' does not hold the cluster CA (tls.crt and tls.key in PEM): restore it"
                            .formatted(ref.authoritySecret()),
                    true));
        }
        if (!initialized(kept, seen) && !hasOldVolumes(ref, spec, seen)) {
            return;
        }
        if (!seen.secrets().authority()) {
            findings.add(lost(ref.authoritySecret(), "a new cluster CA would make strangers of the running nodes"));
        }
        if (!seen.secrets().superuser()) {
            findings.add(lost(ref.superuserSecret(), "a new password would not be the database's"));
        }
        if (own == null && !seen.secrets().app()) {
            findings.add(lost(ref.appSecret(), "a new password would not be the database's"));
        }
    }

    /** There are volumes, and not every node that could have one says that it is empty. */
    private static boolean hasOldVolumes(ClusterRef ref, QuantaClusterSpec spec, ObservedCluster seen) {
        return !seen.claims().isEmpty()
                && !seen.allBlank(ref.pods(Math.max(spec.instances(), ref.reach(seen.claims()))));
    }

    private static Finding lost(String secret, String why) {
        return new Finding(
                "SecretMissing",
                "Secret '%s' is gone and is not made anew, because %s: restore it".formatted(secret, why),
                true);
    }

    private static boolean initialized(QuantaClusterStatus kept, ObservedCluster seen) {
        return seen.formed()
                || kept.condition("Initialized").filter(c -> c.holds()).isPresent();
    }

    /**
     * Every node answers, none knows the cluster that there was: the volumes are empty. It was there once a node told of
     * an epoch; between the answer to the founding and that, no node knows it yet.
     */
    private static void data(
            ClusterRef ref,
            QuantaClusterSpec spec,
            QuantaClusterStatus kept,
            ObservedCluster seen,
            List<Finding> findings) {
        boolean existed = kept.epoch() > 0;
        if (existed && !seen.formed() && seen.allBlank(ref.pods(spec.instances()))) {
            findings.add(new Finding(
                    "DataLost",
                    "every node's volume is empty, though this cluster was founded: it is not founded again under its old name; delete the resource and make it anew to begin empty",
                    true));
        }
    }

    /**
     * Volumes that no pod would hold may be a majority of an earlier cluster of this name: founding another beside them,
     * or starting too few of them, is for nobody to guess.
     */
    private static void volumes(ClusterRef ref, QuantaClusterSpec spec, ObservedCluster seen, List<Finding> findings) {
        int running = seen.workload().map(ObservedCluster.Workload::replicas).orElse(0);
        int held = Math.max(spec.instances(), running);
        List<String> left =
                seen.claims().stream().filter(pod -> ref.index(pod) >= held).toList();
        if (!left.isEmpty()) {
            findings.add(new Finding(
                    "VolumesLeft",
                    "there are volumes of an earlier cluster of this name that %d instances would not use (%s): set spec.instances to %d to go on with that cluster, or delete these claims to give its data up"
                            .formatted(
                                    held,
                                    left.stream().map(ClusterRef::claim).collect(Collectors.joining(", ")),
                                    ref.reach(left)),
                    true));
        }
    }

    private static void scale(QuantaClusterSpec spec, ObservedCluster seen, List<Finding> findings) {
        int running = seen.workload().map(ObservedCluster.Workload::replicas).orElse(0);
        if (spec.instances() < running) {
            findings.add(new Finding(
                    "ScaleDownRefused",
                    "spec.instances is %d and %d nodes run: members cannot be removed in this version, and stopping one that still votes would cost fault tolerance; set spec.instances back to %d"
                            .formatted(spec.instances(), running, running),
                    false));
        }
    }
}
