package io.quantadb.operator.resource;

import io.fabric8.kubernetes.api.model.Secret;
import io.quantadb.operator.model.ClusterRef;
import io.quantadb.operator.model.DesiredOwner;
import io.quantadb.operator.model.Note;
import io.quantadb.operator.model.Planner;
import io.quantadb.operator.model.Step;
import io.quantadb.operator.nodeapi.FoundingAnswer;
import io.quantadb.operator.pki.CertificateIssuer;
import io.quantadb.operator.pki.Credential;
import io.quantadb.operator.pki.Pem;
import java.io.IOException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Carries out the steps of a plan, in order, on the calling thread. Stops at the first that fails; what was done stays
 * done, and the next reconcile goes on from what it finds.
 */
public final class StepRunner {
    /** Gives a node the permission to found its cluster. */
    @FunctionalInterface
    public interface Permission {
        FoundingAnswer give(String pod) throws IOException;
    }

    /**
     * What came of the steps.
     *
     * @param done what changed something that is worth a line in a log; applying what is already so is not
     * @param notes what of it is worth an event
     * @param permissionRecorded the pod that the permission is now recorded for
     * @param founding the node's answer to the permission
     */
    public record Outcome(
            List<String> done,
            List<Note> notes,
            Optional<String> permissionRecorded,
            Optional<FoundingAnswer> founding) {
        public Outcome {
            done = List.copyOf(done);
            notes = List.copyOf(notes);
        }

        /** Of steps that failed; what was done before that shows itself. */
        public static Outcome none() {
            return new Outcome(List.of(), List.of(), Optional.empty(), Optional.empty());
        }
    }

    private final KubernetesApi kubernetes;
    private final CertificateIssuer issuer;
    private final SecureRandom random;
    private final Settled settled;

    public StepRunner(KubernetesApi kubernetes, CertificateIssuer issuer, SecureRandom random, Settled settled) {
        this.kubernetes = kubernetes;
        this.issuer = issuer;
        this.random = random;
        this.settled = settled;
    }

    /** Whether none of the steps would change anything, by what the watches show. */
    public boolean isDone(List<Step> steps, Watched watched) {
        return steps.stream()
                .allMatch(step -> step instanceof Step.Apply(var object) && settled.stands(object, watched));
    }

    /** Leaves out what would change nothing by what the watches show. */
    public Outcome run(ClusterRef ref, List<Step> steps, Watched watched, Permission permission) {
        var done = new ArrayList<String>();
        var notes = new ArrayList<Note>();
        Optional<String> recorded = Optional.empty();
        Optional<FoundingAnswer> founding = Optional.empty();
        for (Step step : steps) {
            switch (step) {
                case Step.CreateAuthority() -> {
                    Secret secret = SecretShapes.authority(ref, issuer.authority(ref.name()));
                    create(secret, "made the cluster CA", done);
                }
                case Step.CreateSuperuserSecret() ->
                    create(
                            SecretShapes.superuser(ref, SecretShapes.newPassword(random)),
                            "made the superuser's Secret",
                            done);
                case Step.CreateAppSecret(String database, String owner) ->
                    create(
                            SecretShapes.app(ref, database, owner, SecretShapes.newPassword(random)),
                            "made the owner's Secret",
                            done);
                case Step.IssueCertificates(List<String> nodes) -> {
                    issue(ref, nodes);
                    done.add("issued certificates of " + String.join(", ", nodes));
                }
                case Step.Apply(var object) -> {
                    if (!settled.stands(object, watched)) {
                        settled.made(object, kubernetes.apply(object));
                    }
                }
                case Step.ReplacePod(String pod, String uid, String why) -> {
                    kubernetes.deletePod(ref.namespace(), pod, uid);
                    String words = "replaced pod %s: %s".formatted(pod, why);
                    done.add(words);
                    notes.add(Note.of("ReplacedPod", words));
                }
                case Step.RecordPermission(String pod) -> recorded = Optional.of(pod);
                case Step.GivePermission(String pod) -> {
                    founding = Optional.of(give(permission, pod));
                    String words = "asked %s to found the cluster".formatted(pod);
                    done.add(words);
                    notes.add(Note.of("Founding", words));
                }
                case Step.LabelRole(String pod, String uid, String role) -> {
                    kubernetes.labelPod(ref.namespace(), pod, uid, ClusterRef.ROLE_LABEL, role);
                    done.add("labelled pod %s as %s".formatted(pod, role));
                }
            }
        }
        return new Outcome(done, notes, recorded, founding);
    }

    private void create(Secret secret, String what, List<String> done) {
        if (kubernetes.create(secret)) {
            done.add(what);
        }
    }

    private static FoundingAnswer give(Permission permission, String pod) {
        try {
            return permission.give(pod);
        } catch (IOException e) {
            return new FoundingAnswer.Pending("node %s: %s".formatted(pod, e.getMessage()));
        }
    }

    /** Good certificates in the Secret stay; those of instances that are no more stay too, they end by themselves. */
    private void issue(ClusterRef ref, List<String> nodes) {
        Credential authority = kubernetes
                .secret(ref.namespace(), ref.authoritySecret())
                .flatMap(SecretShapes::authority)
                .orElseThrow(() ->
                        new IllegalStateException("Secret '%s' holds no cluster CA".formatted(ref.authoritySecret())));
        Map<String, String> files = new TreeMap<>();
        kubernetes.secret(ref.namespace(), ref.tlsSecret()).ifPresent(present -> {
            for (String key :
                    Optional.ofNullable(present.getData()).orElse(Map.of()).keySet()) {
                SecretShapes.text(present, key).ifPresent(text -> files.put(key, text));
            }
        });
        files.put(SecretShapes.AUTHORITY_CERTIFICATE, Pem.of(authority.certificate()));
        for (String node : nodes) {
            Credential issued =
                    issuer.node(authority, ref.name(), node, Planner.names(ref, node), Planner.CERTIFICATE_VALIDITY);
            files.put(SecretShapes.certificateFile(node), Pem.of(issued.certificate()));
            files.put(SecretShapes.keyFile(node), Pem.of(issued.key()));
        }
        kubernetes.apply(SecretShapes.nodes(ref, DesiredOwner.of(ref), files));
    }
}
