package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.coordinator.FactStore;
import io.quantadb.node.coordinator.NodeFacts;
import io.quantadb.node.postgres.DataDirectory;
import io.quantadb.node.postgres.ServerUser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A disk on which every step of coming back is interrupted once. */
class RejoinTest {
    private static final HostPort OTHER = new HostPort("127.0.0.1", 6433);
    private static final NodeFacts MEMBER =
            new NodeFacts(new NodeId("node3"), 77, "cluster-a", 9, 4, 6, "node1=127.0.0.1:7432", null);

    @TempDir
    Path folder;

    private NodeFiles files;
    private FactStore store;
    private Path row;

    @BeforeEach
    void member() throws IOException {
        files = new NodeFiles(
                folder.resolve("cluster/node.facts"),
                folder.resolve("cluster/raft"),
                folder.resolve("postgres"),
                folder.resolve("conf"),
                folder.resolve("run"));
        Files.createDirectories(files.raft());
        Files.writeString(files.raft().resolve("log-1"), "entries");
        Files.createDirectories(files.data());
        row = Files.writeString(files.data().resolve("PG_VERSION"), "15\n");
        store = new FactStore(files.facts(), fault -> {
            throw new AssertionError(fault);
        });
        store.put(MEMBER);
    }

    @AfterEach
    void close() {
        store.close();
    }

    private Rejoin started(long seed) {
        return new Rejoin(
                files, store, new DataDirectory(files.data(), ServerUser.resolve(null)), new SplittableRandom(seed));
    }

    @Test
    void aDiskWithoutAMarkIsLeftAlone() {
        // When
        Rejoin rejoin = started(1);
        rejoin.begin();
        rejoin.end(MEMBER);

        // Then
        assertThat(rejoin.former()).isNull();
        assertThat(store.facts()).isEqualTo(MEMBER);
        assertThat(row).exists();
        assertThat(files.raft()).isNotEmptyDirectory();
    }

    @Test
    void becomesANewIncarnationInNoClusterThatKeepsItsDataAndItsPromise() {
        // Given
        Rejoin.note(files, MEMBER, List.of(OTHER));

        // When
        Rejoin rejoin = started(1);
        rejoin.begin();

        // Then
        assertThat(rejoin.former()).isEqualTo(new Rejoin.Former(77, "cluster-a", List.of(OTHER)));
        NodeFacts now = store.facts();
        assertThat(now.isMember()).isFalse();
        assertThat(now.incarnation()).isPositive().isNotEqualTo(77);
        assertThat(List.of(now.generation(), now.promise())).containsExactly(4L, 6L);
        assertThat(files.raft()).doesNotExist();
        assertThat(row).exists();
    }

    @Test
    void anInterruptedStartGoesOnAsTheIncarnationThatItHasBegun() {
        // Given
        Rejoin.note(files, MEMBER, List.of(OTHER));
        started(1).begin();
        NodeFacts begun = store.facts();

        // When
        started(2).begin();

        // Then
        assertThat(store.facts()).isEqualTo(begun);
    }

    @Test
    void whatCameAfterItWasTakenInIsNotThrownAwayBeforeItsDataAre() throws IOException {
        // Given: taken in, and interrupted before the old data were removed
        Rejoin.note(files, MEMBER, List.of(OTHER));
        started(1).begin();
        NodeFacts taken = store.facts().withCluster("cluster-a", 9);
        store.put(taken);
        Files.createDirectories(files.raft());

        // When
        Rejoin again = started(2);
        again.begin();

        // Then
        assertThat(store.facts()).isEqualTo(taken);
        assertThat(files.raft()).as("of the new incarnation").exists();
        assertThat(row).exists();

        // And when
        again.end(taken);

        // Then
        assertThat(row).doesNotExist();
        assertThat(started(3).former()).isNull();
    }

    @Test
    void asksTheMembersThatItsFormerSelfKnewBeforeWhoeverIsConfigured() {
        // Given
        HostPort configured = new HostPort("127.0.0.1", 6432);
        Rejoin.note(files, MEMBER, List.of(OTHER));

        // When
        List<HostPort> asked = started(1).addresses(List.of(configured, OTHER));

        // Then
        assertThat(asked).containsExactly(OTHER, configured);
    }

    @Test
    void saysWhichMarkItCannotRead() throws IOException {
        // Given
        Files.writeString(files.facts().resolveSibling("rejoin"), "incarnation=many\n");

        // Then
        assertThatThrownBy(() -> started(1))
                .isInstanceOf(LocalFault.class)
                .hasMessageContaining(files.facts().resolveSibling("rejoin").toString());
    }
}
