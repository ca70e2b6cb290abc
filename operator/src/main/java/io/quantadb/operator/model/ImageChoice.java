package io.quantadb.operator.model;

import io.quantadb.crd.v1alpha1.QuantaClusterSpec;
import io.quantadb.crd.v1alpha1.QuantaClusterStatus;

/**
 * Which image the nodes run, and which release that is. Settled once and kept in status: another operator, with other
 * defaults, changes no pod template. A spec that names an image or a version wins over what was kept.
 *
 * @param image the whole reference
 * @param version the release
 */
public record ImageChoice(String image, String version) {
    /**
     * @param repository the operator's default repository
     * @param release the operator's default release
     */
    public static ImageChoice of(QuantaClusterSpec spec, QuantaClusterStatus kept, String repository, String release) {
        String named = spec.images().node();
        if (named != null) {
            String version = spec.version();
            return new ImageChoice(named, version == null ? tag(named) : version);
        }
        String wanted = spec.version() != null ? spec.version() : kept.version() != null ? kept.version() : release;
        String image = kept.image();
        return image != null && wanted.equals(kept.version())
                ? new ImageChoice(image, wanted)
                : new ImageChoice(repository + ":" + wanted, wanted);
    }

    /** The tag of a reference; its digest when it has one, {@code latest} when it has neither. */
    static String tag(String image) {
        int digest = image.indexOf('@');
        if (digest >= 0) {
            return image.substring(digest + 1);
        }
        int colon = image.lastIndexOf(':');
        return colon > image.lastIndexOf('/') ? image.substring(colon + 1) : "latest";
    }
}
