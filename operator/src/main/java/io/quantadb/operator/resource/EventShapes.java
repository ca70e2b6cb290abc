package io.quantadb.operator.resource;

import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.EventBuilder;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.quantadb.operator.model.ClusterRef;
import io.quantadb.operator.model.Note;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HexFormat;

/**
 * Events about clusters. One is named after what it says, so that the same thing said again is the same event with a
 * higher count; Kubernetes forgets them after an hour.
 */
final class EventShapes {
    /** Kubernetes refuses longer ones. */
    private static final int MESSAGE_CHARS_MAX = 1024;

    private EventShapes() {}

    static Event event(HasMetadata resource, Note note, Instant when) {
        var meta = resource.getMetadata();
        String message = note.message().length() <= MESSAGE_CHARS_MAX
                ? note.message()
                : note.message().substring(0, MESSAGE_CHARS_MAX - 3) + "...";
        return new EventBuilder()
                .withNewMetadata()
                .withNamespace(meta.getNamespace())
                .withName(meta.getName() + "." + hash(meta.getUid() + note))
                .endMetadata()
                .withNewInvolvedObject()
                .withApiVersion(resource.getApiVersion())
                .withKind(resource.getKind())
                .withNamespace(meta.getNamespace())
                .withName(meta.getName())
                .withUid(meta.getUid())
                .endInvolvedObject()
                .withType(note.warning() ? "Warning" : "Normal")
                .withReason(note.reason())
                .withMessage(message)
                .withNewSource()
                .withComponent(ClusterRef.MANAGER)
                .endSource()
                .withReportingComponent(ClusterRef.MANAGER)
                .withFirstTimestamp(text(when))
                .withLastTimestamp(text(when))
                .withCount(1)
                .build();
    }

    /** What changes when it happened once more, as a merge patch. */
    static String again(int count, Instant when) {
        return "{\"count\":%d,\"lastTimestamp\":\"%s\"}".formatted(count, text(when));
    }

    private static String text(Instant when) {
        return when.truncatedTo(ChronoUnit.SECONDS).toString();
    }

    private static String hash(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this Java has no SHA-256", e);
        }
    }
}
