package io.quantadb.node.runtime;

import io.quantadb.node.cli.CertificateAuthority;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.pki.ClusterCa;
import io.quantadb.node.pki.ClusterRole;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;

/** Certificates for the command line, made by {@link ClusterCa}. */
public final class CaService implements CertificateAuthority {
    @Override
    public boolean createAuthority(Path dir, String clusterName) {
        if (Files.exists(dir.resolve("ca.crt"))) {
            return false;
        }
        var _ = ClusterCa.create(dir, clusterName, InstantSource.system());
        return true;
    }

    @Override
    public void issueNode(Path dir, NodeId node, List<String> hosts) {
        var _ = ClusterCa.open(dir, InstantSource.system()).issueNode(node, hosts, ClusterCa.NODE_VALIDITY);
    }

    @Override
    public void issueCaller(Path dir, NodeId name, boolean mayChange) {
        var _ = ClusterCa.open(dir, InstantSource.system())
                .issueRole(mayChange ? ClusterRole.OPERATOR : ClusterRole.VIEWER, name, ClusterCa.NODE_VALIDITY);
    }
}
