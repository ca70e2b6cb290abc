package io.quantadb.node.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quantadb.node.bench.Namespaces;
import io.quantadb.node.cli.CertificateAuthority;
import io.quantadb.node.cli.Demo;
import io.quantadb.node.cli.DemoNode;
import io.quantadb.node.cli.Machines;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.pki.TlsFiles;
import io.quantadb.node.testing.PostgresVersion;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A primary that is cut off from the others and from its clients' network, each node in a network of its own. */
@Tag("process")
class PartitionPT {
    @Test
    void losesNothingWhenThePrimaryIsCutOff(@TempDir Path folder) throws Exception {
        // Given
        Assumptions.assumeTrue(Namespaces.missing().isEmpty(), Namespaces.missing());
        Path tls = Files.createDirectories(folder.resolve("tls"));
        try (Namespaces network = Namespaces.create(Demo.NODES);
                TestingThree cluster = TestingThree.form(
                        getClass(), PostgresVersion.V15, machines(tls), List.of(), Map.of("tls.dir", tls.toString()))) {
            DemoNode old = cluster.primary();
            try (Writes writes = Writes.steady(cluster);
                    Connection session = cluster.local(old)) {
                // When
                network.cut(cluster.indexOf(old));
                cluster.awaitSuccessor(old);
                writes.awaitAcknowledgedAfter(System.nanoTime());
                network.join(cluster.indexOf(old));

                // Then
                assertThatThrownBy(() -> {
                            try (Statement statement = session.createStatement()) {
                                statement.executeQuery("SELECT 1");
                            }
                        })
                        .isInstanceOf(SQLException.class);
                writes.auditEverywhere();
                assertThat(cluster.view().primary()).isNotEmpty();
            }
        }
    }

    private static Machines machines(Path tls) {
        CertificateAuthority authority =
                ServiceLoader.load(CertificateAuthority.class).findFirst().orElseThrow();
        authority.createAuthority(tls, "partition");
        for (int i = 0; i < Demo.NODES; i++) {
            authority.issueNode(tls, new NodeId("node" + (i + 1)), List.of(Namespaces.host(i)), Duration.ofDays(1));
        }
        return new Machines(
                IntStream.range(0, Demo.NODES).mapToObj(Namespaces::host).toList(),
                IntStream.range(0, Demo.NODES).mapToObj(Namespaces::prefix).toList(),
                new TlsFiles(tls.resolve("ca.crt"), tls.resolve("node1.crt"), tls.resolve("node1.key")));
    }
}
