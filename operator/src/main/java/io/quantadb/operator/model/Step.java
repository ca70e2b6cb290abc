package io.quantadb.operator.model;

import io.fabric8.kubernetes.api.model.HasMetadata;
import java.util.List;

/**
 * One thing to do. Steps are done in order, one at a time, and each can be done again: an operator that was killed
 * between two of them makes the same plan from what it finds and goes on.
 */
public sealed interface Step {
    /** Make the cluster CA. Never replaces one that exists. */
    record CreateAuthority() implements Step {}

    /** Make the superuser's Secret, with a generated password. Never replaces one that exists. */
    record CreateSuperuserSecret() implements Step {}

    /** Make the owner's Secret, with a generated password. Never replaces one that exists. */
    record CreateAppSecret(String database, String owner) implements Step {}

    /** Issue these nodes' certificates and put them beside those that are still good. */
    record IssueCertificates(List<String> nodes) implements Step {
        public IssueCertificates {
            nodes = List.copyOf(nodes);
        }
    }

    /** Bring one object to its desired state by server-side apply. */
    record Apply(HasMetadata object) implements Step {}

    /** Delete a pod so that its StatefulSet makes it anew. */
    record ReplacePod(String pod, String uid, String why) implements Step {}

    /** Write into status that the permission to found the cluster is about to be given. */
    record RecordPermission(String pod) implements Step {}

    /** Give the one-time permission to found the cluster; needs {@link RecordPermission} in an earlier reconcile. */
    record GivePermission(String pod) implements Step {}

    /** Label a pod with the role that its node tells. */
    record LabelRole(String pod, String uid, String role) implements Step {}
}
