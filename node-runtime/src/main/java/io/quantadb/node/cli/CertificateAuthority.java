package io.quantadb.node.cli;

import io.quantadb.node.common.NodeId;
import java.nio.file.Path;
import java.util.List;

/**
 * Makes a cluster's certificate authority and its nodes' certificates as files; found as a
 * {@link java.util.ServiceLoader} service. Files: {@code ca.crt}, {@code ca.key}, and per node {@code <id>.crt} and
 * {@code <id>.key}; keys are readable by their owner alone.
 */
public interface CertificateAuthority {
    /** Makes the authority in this folder unless one is there already; returns whether it was made. */
    boolean createAuthority(Path dir, String clusterName);

    /** Issues a certificate for this node, valid for these names and addresses; replaces an earlier one. */
    void issueNode(Path dir, NodeId node, List<String> hosts);

    /** Issues a certificate for a person or a program that calls the API: to change things, or to read only. */
    void issueCaller(Path dir, NodeId name, boolean mayChange);
}
