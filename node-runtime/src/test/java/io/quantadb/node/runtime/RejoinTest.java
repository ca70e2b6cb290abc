package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quantadb.node.cli.Failure;
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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A disk on which every step of coming back is interrupted once. */
class RejoinTest {
    private static final HostPort OTHER = new HostPort("127.0.0.1", 6433);
    private static final long NEXT = 99;
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

    private Rejoin started() {
        return new Rejoin(files, store, new DataDirectory(files.data(), ServerUser.resolve(null)));
    }

    private void assertUntouched() {
        assertThat(store.facts()).isEqualTo(MEMBER);
        assertThat(row).exists();
        assertThat(files.raft()).isNotEmptyDirectory();
    }

    @Test
    void aDiskWithoutAMarkIsLeftAlone() {
        // When
        Rejoin rejoin = started();
        rejoin.end(MEMBER);

        // Then
        assertThat(rejoin.former()).isNull();
        assertThat(rejoin.asking(MEMBER)).isEqualTo(MEMBER);
        assertUntouched();
    }

    @Test
    void asksAsTheSameNewIncarnationAtEveryStartAndLeavesTheDiskAsItIs() {
        // Given
        Rejoin.note(files, MEMBER, NEXT);

        // When
        List<NodeFacts> asked = List.of(started().asking(MEMBER), started().asking(MEMBER));

        // Then
        assertThat(started().former()).isEqualTo(new Rejoin.Former(77, NEXT, "cluster-a"));
        assertThat(asked).allSatisfy(facts -> {
            assertThat(facts.isMember()).isFalse();
            assertThat(List.of(facts.incarnation(), facts.generation(), facts.promise()))
                    .containsExactly(NEXT, 4L, 6L);
        });
        assertUntouched();
    }

    @Test
    void nothingGoesBeforeTheNewIncarnationIsTakenIn() {
        // Given
        Rejoin.note(files, MEMBER, NEXT);
        Rejoin rejoin = started();

        // When
        rejoin.end(MEMBER);
        rejoin.end(rejoin.asking(MEMBER));

        // Then
        assertUntouched();
        assertThat(started().former()).isNotNull();
    }

    @Test
    void logAndDataGoOnceItIsTakenInAlsoWhereThatWasInterrupted() {
        // Given: taken in, and ended before anything was removed
        Rejoin.note(files, MEMBER, NEXT);
        NodeFacts taken = started().asking(MEMBER).withCluster("cluster-a", 9);
        store.put(taken);

        // When
        Rejoin again = started();
        again.end(taken);

        // Then
        assertThat(row).doesNotExist();
        assertThat(files.raft()).doesNotExist();
        assertThat(started().former()).isNull();
        assertThat(store.facts()).isEqualTo(taken);
    }

    /** A recovery from a lost majority names the disk anew; what it was before is nothing to it. */
    @Test
    void aMarkOfAnotherDiskIsTakenAwayAndChangesNothing() {
        for (NodeFacts other : List.of(
                new NodeFacts(MEMBER.node(), 78, "cluster-a~2.0000aaaa", 9, 4, 6, "", null),
                new NodeFacts(MEMBER.node(), 77, "cluster-b", 9, 4, 6, "", null),
                new NodeFacts(MEMBER.node(), NEXT, "cluster-a~2.0000aaaa", 9, 4, 6, "", null))) {
            // Given
            Rejoin.note(files, MEMBER, NEXT);
            store.put(other);

            // When
            Rejoin rejoin = started();
            rejoin.end(other);

            // Then
            assertThat(rejoin.former()).isNull();
            assertThat(row).exists();
            assertThat(files.raft()).isNotEmptyDirectory();
            assertThat(store.facts()).isEqualTo(other);
            store.put(MEMBER);
            assertThat(started().former()).as("the mark is gone").isNull();
        }
    }

    @Test
    void asksWhoeverIsConfiguredWhereItsLogNamesNobodyAndEndsWhereNobodyIs() {
        // Given a log that cannot be read
        Rejoin.note(files, MEMBER, NEXT);
        Rejoin rejoin = started();

        // Then
        assertThat(rejoin.addresses(MEMBER.node(), List.of(OTHER))).containsExactly(OTHER);
        assertThatThrownBy(() -> rejoin.addresses(MEMBER.node(), List.of()))
                .isInstanceOf(Failure.class)
                .hasMessageContaining("before it knew another member");
    }

    @Test
    void saysWhichMarkItCannotRead() throws IOException {
        // Given
        Files.writeString(files.facts().resolveSibling("rejoin"), "incarnation=many\n");

        // Then
        assertThatThrownBy(this::started)
                .isInstanceOf(LocalFault.class)
                .hasMessageContaining(files.facts().resolveSibling("rejoin").toString());
    }
}
