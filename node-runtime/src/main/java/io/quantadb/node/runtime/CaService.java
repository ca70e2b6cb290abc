package io.quantadb.node.runtime;

import io.quantadb.node.cli.CertificateAuthority;
import io.quantadb.node.cli.ExitCode;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.pki.ClusterCa;
import io.quantadb.node.pki.ClusterRole;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** Certificates for the command line, made by {@link ClusterCa}. */
public final class CaService implements CertificateAuthority {
    @Override
    public Optional<String> clusterName(Path dir) {
        return Steps.at(ExitCode.CERTIFICATE, () -> ClusterCa.nameIn(dir));
    }

    @Override
    public boolean createAuthority(Path dir, String clusterName) {
        return Steps.at(ExitCode.CERTIFICATE, () -> {
            if (ClusterCa.nameIn(dir).isPresent()) {
                return false;
            }
            var _ = ClusterCa.create(dir, clusterName, InstantSource.system());
            return true;
        });
    }

    @Override
    public List<String> issuedNames(Path dir, NodeId node) {
        return Steps.at(ExitCode.CERTIFICATE, () -> ClusterCa.issuedNames(dir, node));
    }

    @Override
    public void issueNode(Path dir, NodeId node, List<String> hosts, Duration validity) {
        issue(dir, ca -> ca.issueNode(node, hosts, validity));
    }

    @Override
    public void issueCaller(Path dir, NodeId name, boolean mayChange, Duration validity) {
        issue(dir, ca -> ca.issueRole(mayChange ? ClusterRole.OPERATOR : ClusterRole.VIEWER, name, validity));
    }

    private static void issue(Path dir, Function<ClusterCa, ?> issuing) {
        Steps.run(ExitCode.CERTIFICATE, () -> {
            var _ = issuing.apply(ClusterCa.open(dir, InstantSource.system()));
        });
    }
}
