package io.quantadb.node.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.quantadb.node.common.NodeException.LocalFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Users, paths and binaries as machines have them. */
class SurroundingsTest {
    private final Path scratch = TestingNode.scratch();
    private final ServerUser user = TestingNode.USER;

    @AfterEach
    void clean() throws IOException {
        DirectoryTree.delete(scratch);
    }

    @Test
    void readsWhatIdPrints() {
        assertThat(ServerUser.parseIdentity("uid=101(postgres) gid=104(postgres) groups=104(postgres),103(ssl-cert)\n"))
                .contains(new ServerUser.Identity(101, "postgres", 104, Set.of(104L, 103L)));
        assertThat(ServerUser.parseIdentity("uid=1000670000 gid=0(root) groups=0(root),1000670000"))
                .contains(new ServerUser.Identity(1000670000, "", 0, Set.of(0L, 1000670000L)));
        assertThat(ServerUser.parseIdentity("id: 'x': no such user")).isEmpty();
    }

    @Test
    void neverRunsPostgresAsRootAndRefusesAUserThatCannotBe() {
        assertThat(user.uid()).isNotZero();
        assertThat(user.switched()).isEqualTo(user.agentName().equals("root"));
        assertThatThrownBy(() -> ServerUser.resolve("nobody-has-this-name"))
                .isInstanceOf(LocalFault.class)
                .hasMessageContaining("nobody-has-this-name");
        assertThatThrownBy(() -> ServerUser.resolve("root"))
                .isInstanceOf(LocalFault.class)
                .hasMessageContaining("root");
    }

    @Test
    void asRootTheCommandChangesUserByExecAndAsksForTheDeathSignal() {
        var root = new ServerUser(
                "postgres",
                101,
                104,
                Set.of(),
                "root",
                true,
                Optional.of(Path.of("/usr/bin/setpriv")),
                Optional.empty());
        assertThat(root.command("QUIT", List.of("postgres", "-D", "x")))
                .containsExactly(
                        "/usr/bin/setpriv",
                        "--reuid",
                        "postgres",
                        "--regid",
                        "104",
                        "--init-groups",
                        "--pdeathsig",
                        "QUIT",
                        "postgres",
                        "-D",
                        "x");
    }

    @Test
    void usesTheSocketDirectoryThatIsAskedForUnlessItsPathIsTooLong() throws IOException {
        // Given
        Path deep = scratch.resolve("x".repeat(60)).resolve("y".repeat(60));

        // When
        Path near = SocketDirectory.prepare(scratch.resolve("s"), ".s.PGSQL.5432", user);
        Path far = SocketDirectory.prepare(deep, ".s.PGSQL.5432", user);

        // Then
        assertThat(near).isEqualTo(scratch.resolve("s"));
        assertThat(far).isEqualTo(SocketDirectory.prepare(deep, ".s.PGSQL.5432", user));
        assertThat(far.resolve(".s.PGSQL.5432").toString()).hasSizeLessThanOrEqualTo(107);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(far)))
                .isEqualTo("rwx------");
        assertThat(OsTools.ownerOf(far)).isEqualTo(user.uid());
        DirectoryTree.delete(far);
    }

    @Test
    void refusesAForeignFileWhereTheSocketDirectoryWouldBe() throws IOException {
        // Given
        Path deep = scratch.resolve("z".repeat(60)).resolve("y".repeat(60));
        Path far = SocketDirectory.prepare(deep, ".s.PGSQL.5432", user);
        DirectoryTree.delete(far);
        Files.createSymbolicLink(far, scratch);

        // When, Then
        assertThatThrownBy(() -> SocketDirectory.prepare(deep, ".s.PGSQL.5432", user))
                .isInstanceOf(LocalFault.class)
                .hasMessageContaining("belongs to somebody else");
        Files.delete(far);
    }

    @Test
    void refusesADirectoryOfSomethingElseAndSaysSo() throws IOException {
        // Given
        Path foreign = Files.createDirectory(scratch.resolve("foreign"));
        Files.writeString(foreign.resolve("letter.txt"), "mine");
        Path file = Files.writeString(scratch.resolve("file"), "");

        // When, Then
        assertThat(new DataDirectory(foreign, user).inspect(15, null))
                .asString()
                .contains("is not empty and holds no PostgreSQL cluster");
        assertThat(new DataDirectory(file, user).inspect(15, null)).asString().contains("is not a directory");
        assertThat(new DataDirectory(scratch.resolve("new/data"), user).inspect(15, null))
                .isEqualTo(new DirectoryContents.Empty());
        assertThat(foreign.resolve("letter.txt")).hasContent("mine");
    }

    @Test
    void namesTheDirectoryThatPostgresCannotEnter() throws IOException {
        assumeTrue(user.switched(), "only an agent that runs as root changes user");
        // Given
        Path closed = Files.createDirectory(scratch.resolve("closed"));
        Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("rwx------"));

        // When
        DirectoryContents found = new DataDirectory(closed.resolve("data"), user).inspect(15, null);

        // Then
        assertThat(found).asString().contains("cannot enter " + closed).contains("chmod o+x " + closed);
    }

    @Test
    void copiesAnInstallationThatPostgresCannotReach() throws IOException {
        assumeTrue(user.switched(), "only an agent that runs as root changes user");
        // Given
        Path closed = Files.createDirectory(scratch.resolve("closed"));
        Path bin = fakeInstallation(closed.resolve("pg"), "postgres (PostgreSQL) 16.4");
        Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("rwx------"));
        var finder = new BinaryFinder(scratch.resolve("cache"), scratch);

        // When
        PostgresBinaries found = finder.find(new BinaryFinder.Wanted(bin, null, null), user);

        // Then
        assertThat(found.version()).isEqualTo(new PostgresVersion(16, "16.4"));
        assertThat(found.binDir()).startsWith(scratch.resolve("cache"));
        assertThat(finder.find(new BinaryFinder.Wanted(bin, null, null), user)).isEqualTo(found);
    }

    @Test
    void saysWhichVersionItFoundWhenItIsTheWrongOne() throws IOException {
        // Given
        Path old = fakeInstallation(scratch.resolve("old"), "postgres (PostgreSQL) 14.2");
        Path right = fakeInstallation(scratch.resolve("right"), "postgres (PostgreSQL) 17rc1");
        var finder = new BinaryFinder(scratch.resolve("cache"), scratch);

        // When, Then
        assertThatThrownBy(() -> finder.find(new BinaryFinder.Wanted(old, null, null), user))
                .hasMessageContaining(old + " is version 14.2")
                .hasMessageContaining("15 to 18");
        assertThatThrownBy(() -> finder.find(new BinaryFinder.Wanted(right, null, 15), user))
                .hasMessageContaining("version 15 is asked for");
        assertThatThrownBy(() -> finder.find(new BinaryFinder.Wanted(scratch, null, null), user))
                .hasMessageContaining("has no postgres and initdb");
        assertThat(finder.find(new BinaryFinder.Wanted(right, null, 17), user).tool("psql"))
                .isEmpty();
    }

    @Test
    void ordersVersionsByNumber() {
        assertThat(BinaryFinder.compareVersions("18.10", "18.9")).isPositive();
        assertThat(BinaryFinder.compareVersions("18.0.0", "17.6.0")).isPositive();
        assertThat(BinaryFinder.compareVersions("18.6.0", "18.6.0")).isZero();
    }

    private static Path fakeInstallation(Path prefix, String version) throws IOException {
        Path bin = Files.createDirectories(prefix.resolve("bin"));
        Files.createDirectories(prefix.resolve("lib"));
        Files.createDirectories(prefix.resolve("share"));
        for (String tool : List.of("postgres", "initdb")) {
            Path file = Files.writeString(bin.resolve(tool), "#!/bin/sh\necho '" + version + "'\n");
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
        return bin;
    }
}
