package io.quantadb.operator.resource;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Secret;
import io.quantadb.operator.model.Note;
import java.time.Instant;

/** What a reconcile needs of Kubernetes. Reads go to the API server: they tell what is there now. */
public interface KubernetesApi extends KubernetesReads {
    /**
     * Server-side apply under the operator's name; takes over fields that others set. Fails with an
     * {@link IllegalStateException}, and changes nothing, when an object of this name belongs to somebody else.
     *
     * @return what the server made of it
     */
    HasMetadata apply(HasMetadata object);

    /** Makes a Secret; false when there is one of this name already, which is left alone. */
    boolean create(Secret secret);

    /** Deletes this very pod: one of the same name made since stays. Fine when it is gone. */
    void deletePod(String namespace, String name, String uid);

    /**
     * Makes an event about a cluster, or counts one that says the same once more.
     *
     * @param resource of the cluster, with its uid
     */
    void tell(HasMetadata resource, Note note, Instant when);

    /** Labels this very pod; a pod of the same name made since, or none at all, is left alone. */
    void labelPod(String namespace, String name, String uid, String label, String value);
}
