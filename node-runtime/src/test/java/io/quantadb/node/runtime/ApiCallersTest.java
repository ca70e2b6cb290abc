package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quantadb.node.api.Caller;
import io.quantadb.node.cli.ClusterClient;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.pki.ClusterCa;
import io.quantadb.node.pki.ClusterRole;
import io.quantadb.node.pki.NodeCredentials;
import io.quantadb.node.pki.TlsFiles;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ApiCallersTest {
    private static final InstantSource NOW = InstantSource.system();

    @TempDir
    Path folder;

    private ClusterCa ca;
    private NodeCredentials own;

    @BeforeEach
    void makeAuthority() {
        ca = ClusterCa.create(folder.resolve("ca"), "shop", NOW);
        own = load(ca.issueNode(new NodeId("node1"), List.of("127.0.0.1"), Duration.ofDays(1)));
    }

    @Test
    void knowsNodesAndRolesByTheirCertificates() {
        ApiCallers callers = new ApiCallers(() -> own, null, NOW);

        assertThat(callers.identify(shown(ca.issueNode(new NodeId("node2"), List.of(), Duration.ofDays(1))), null))
                .isEqualTo(new Caller("node2", Caller.Role.NODE));
        assertThat(callers.identify(role(ca, ClusterRole.OPERATOR), null))
                .isEqualTo(new Caller("somebody", Caller.Role.OPERATOR));
        assertThat(callers.identify(role(ca, ClusterRole.VIEWER), null))
                .isEqualTo(new Caller("somebody", Caller.Role.VIEWER));
        assertThat(callers.identify(null, null).role()).isEqualTo(Caller.Role.ANYBODY);
        assertThat(callers.identify(null, "Bearer null").role()).isEqualTo(Caller.Role.ANYBODY);
    }

    @Test
    void takesNoRoleOfAnotherClusterForItsOwn() {
        // Given an authority that serves several clusters
        ClusterCa other = ClusterCa.create(folder.resolve("other"), "bank", NOW);
        ApiCallers callers = new ApiCallers(() -> own, null, NOW);

        // When
        Caller operator = callers.identify(role(other, ClusterRole.OPERATOR), null);
        Caller node =
                callers.identify(shown(other.issueNode(new NodeId("node2"), List.of(), Duration.ofDays(1))), null);

        // Then
        assertThat(operator.role()).isEqualTo(Caller.Role.ANYBODY);
        assertThat(node.role()).isEqualTo(Caller.Role.ANYBODY);
    }

    @Test
    void believesNoCertificateThatHasExpiredMeanwhile() {
        X509Certificate operator = role(ca, ClusterRole.OPERATOR);
        ApiCallers later = new ApiCallers(() -> own, null, () -> NOW.instant().plus(Duration.ofDays(2)));

        assertThat(later.identify(operator, null).role()).isEqualTo(Caller.Role.ANYBODY);
    }

    @Test
    void takesTheTokenOnLoopbackAlone() {
        ApiCallers loopback = new ApiCallers(() -> own, "s3cret", NOW);

        assertThat(loopback.identify(null, null).role()).isEqualTo(Caller.Role.VIEWER);
        assertThat(loopback.identify(null, "Bearer s3cret").role()).isEqualTo(Caller.Role.OPERATOR);
        assertThat(loopback.identify(null, "Bearer s3cre").role()).isEqualTo(Caller.Role.VIEWER);
        assertThat(loopback.identify(null, "s3cret").role()).isEqualTo(Caller.Role.VIEWER);
    }

    @Test
    void refusesAClusterNamedLikeARole() {
        assertThatThrownBy(() -> ClusterCa.create(folder.resolve("x"), "quantadb-operator", NOW))
                .isInstanceOf(LocalFault.class)
                .hasMessageContaining("role");
    }

    @Test
    void keepsTheTokenInAFileOfItsOwnUser() throws Exception {
        RunFolder run = new RunFolder(folder.resolve("run"));
        run.open();
        String token = run.token(new Random(7));

        Path file = folder.resolve("run").resolve("api.token");
        assertThat(file).hasContent(token);
        assertThat(java.nio.file.attribute.PosixFilePermissions.toString(
                        java.nio.file.Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        run.close();
        assertThat(file).doesNotExist();
        assertThat(folder.resolve("run").resolve("agent.pid")).doesNotExist();
    }

    @Test
    void aClientThatShowsNothingUsableIsToldWhatIsMissing() {
        assertThatThrownBy(
                        () -> ClusterClient.showing(folder.resolve("no"), folder.resolve("no"), folder.resolve("no")))
                .hasMessageContaining("does not exist");
        assertThat(new ClusterClient(null).get(new HostPort("127.0.0.1", 1), "/livez"))
                .isEmpty();
    }

    private static X509Certificate role(ClusterCa authority, ClusterRole role) {
        return shown(authority.issueRole(role, new NodeId("somebody"), Duration.ofDays(1)));
    }

    private static X509Certificate shown(TlsFiles files) {
        return load(files).chain().getFirst();
    }

    private static NodeCredentials load(TlsFiles files) {
        return NodeCredentials.load(files, NOW.instant());
    }
}
