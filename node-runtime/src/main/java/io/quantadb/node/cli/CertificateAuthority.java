package io.quantadb.node.cli;

import io.quantadb.node.common.NodeId;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Makes a cluster's certificate authority and its nodes' certificates as files; found as a
 * {@link java.util.ServiceLoader} service. Files: {@code ca.crt}, {@code ca.key}, and per node {@code <id>.crt} and
 * {@code <id>.key}; keys are readable by their owner alone. Every method fails with a {@link Failure} of
 * {@link ExitCode#CERTIFICATE} when a file cannot be read or written.
 */
public interface CertificateAuthority {
    /** The name of the cluster whose authority this folder holds; empty when it holds none. */
    Optional<String> clusterName(Path dir);

    /** Makes the authority in this folder unless one is there already; returns whether it was made. */
    boolean createAuthority(Path dir, String clusterName);

    /** The names and addresses of the certificate that this folder holds for a node; empty when it holds none. */
    List<String> issuedNames(Path dir, NodeId node);

    /** Issues a certificate for this node, valid for these names and addresses; replaces an earlier one. */
    void issueNode(Path dir, NodeId node, List<String> hosts, Duration validity);

    /** Issues a certificate for a person or a program that calls the API: to change things, or to read only. */
    void issueCaller(Path dir, NodeId name, boolean mayChange, Duration validity);
}
