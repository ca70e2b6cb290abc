package io.quantadb.node.pki;

import java.security.cert.X509Certificate;
import java.util.Optional;

/**
 * What the bearer of a certificate that is no node's may do. A role's certificate is signed by the cluster's CA like a
 * node's; its one O is the role, and so it is a stranger on the ports where nodes speak. Its CN is a name for the log. An
 * OU, where there is one, is the cluster's name: for a CA that serves several clusters.
 */
public enum ClusterRole {
    /** Changes. */
    OPERATOR("quantadb-operator"),
    /** Reads. */
    VIEWER("quantadb-viewer");

    private final String organization;

    ClusterRole(String organization) {
        this.organization = organization;
    }

    /** The O of its certificates; no cluster may have this name. */
    public String organization() {
        return organization;
    }

    /** The role that a checked certificate bears in a cluster of this name; empty for nodes and strangers. */
    public static Optional<ClusterRole> of(X509Certificate certificate, Optional<String> cluster) {
        Optional<ClusterRole> role = Subjects.organization(certificate).flatMap(ClusterRole::named);
        return Subjects.hasUnit(certificate) && !Subjects.unit(certificate).equals(cluster) ? Optional.empty() : role;
    }

    /** The role whose certificates have this O. */
    public static Optional<ClusterRole> named(String organization) {
        for (ClusterRole role : values()) {
            if (role.organization.equals(organization)) {
                return Optional.of(role);
            }
        }
        return Optional.empty();
    }
}
