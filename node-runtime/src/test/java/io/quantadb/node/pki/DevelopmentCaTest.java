package io.quantadb.node.pki;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.common.NodeId;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DevelopmentCaTest {
    private static final NodeId NODE = new NodeId("node1");

    @TempDir
    private Path home;

    private final InstantSource clock = InstantSource.system();

    /** What the child processes below run: opens the authority, issues, prints the serial numbers. */
    static final class Child {
        public static void main(String[] args) {
            Path folder = Path.of(args[0]);
            var clock = InstantSource.system();
            TlsFiles files = DevelopmentCa.openOrCreate(folder, clock).issueNode(NODE);
            NodeCredentials loaded = NodeCredentials.load(files, NODE, clock.instant());
            System.out.println("serials " + loaded.authorities().getFirst().getSerialNumber() + " "
                    + loaded.chain().getFirst().getSerialNumber());
        }
    }

    @Test
    void makesAnAuthorityThatOnlyTheUserCanRead() throws IOException {
        // When
        Path folder = home.resolve("a/b");
        TlsFiles files = DevelopmentCa.openOrCreate(folder, clock).issueNode(NODE);
        // Then
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder)))
                .isEqualTo("rwx------");
        NodeCredentials loaded = NodeCredentials.load(files, NODE, clock.instant());
        assertThat(loaded.cluster()).contains(DevelopmentCa.CLUSTER_NAME);
    }

    @Test
    void usesWhatItMadeBefore() throws IOException {
        // Given
        TlsFiles first = DevelopmentCa.openOrCreate(home.resolve("ca"), clock).issueNode(NODE);
        FileTime made = Files.getLastModifiedTime(first.cert());
        byte[] certificate = Files.readAllBytes(first.cert());
        // When
        TlsFiles second = DevelopmentCa.openOrCreate(home.resolve("ca"), clock).issueNode(NODE);
        // Then
        assertThat(second).isEqualTo(first);
        assertThat(Files.readAllBytes(second.cert())).isEqualTo(certificate);
        assertThat(Files.getLastModifiedTime(second.cert())).isEqualTo(made);
    }

    @Test
    void issuesAnewBeforeTheEnd() throws IOException {
        // Given
        TlsFiles first = DevelopmentCa.openOrCreate(home.resolve("ca"), clock).issueNode(NODE);
        byte[] certificate = Files.readAllBytes(first.cert());
        InstantSource later = InstantSource.fixed(clock.instant().plus(Duration.ofDays(350)));
        // When
        TlsFiles second = DevelopmentCa.openOrCreate(home.resolve("ca"), later).issueNode(NODE);
        // Then
        assertThat(Files.readAllBytes(second.cert())).isNotEqualTo(certificate);
        NodeCredentials.load(second, NODE, later.instant());
    }

    @Test
    void refusesAFolderThatOthersCanEnter() throws IOException {
        // Given
        Path folder = Files.createDirectory(home.resolve("open"));
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        // When, Then
        assertThatThrownBy(() -> DevelopmentCa.openOrCreate(folder, clock))
                .isInstanceOf(LocalFault.class)
                .hasMessageContaining("chmod 700 " + folder);
        try (Stream<Path> inside = Files.list(folder)) {
            assertThat(inside).isEmpty();
        }
    }

    @Test
    void refusesTheFolderOfAnotherUser() throws IOException {
        // Given: only root can give a folder away
        Path folder = home.resolve("theirs");
        DevelopmentCa.openOrCreate(folder, clock);
        Assumptions.assumeTrue("root".equals(System.getProperty("user.name")), "needs root");
        Files.setOwner(
                folder, folder.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName("nobody"));
        // When, Then
        assertThatThrownBy(() -> DevelopmentCa.openOrCreate(folder, clock))
                .isInstanceOf(LocalFault.class)
                .hasMessageContaining("belongs to user 'nobody'")
                .hasMessageContaining("use a folder of your own");
    }

    @Test
    void refusesALinkToAFolder() throws IOException {
        // Given
        Path real = Files.createDirectory(home.resolve("real"));
        Path link = Files.createSymbolicLink(home.resolve("link"), real);
        // When, Then
        assertThatThrownBy(() -> DevelopmentCa.openOrCreate(link, clock))
                .isInstanceOf(LocalFault.class)
                .hasMessageContaining("not a directory of its own");
    }

    @Test
    void finishesWhatAnInterruptedProcessBegan() throws IOException {
        // Given
        Path folder = home.resolve("half");
        PemFiles.makePrivateDirectory(folder);
        Files.writeString(folder.resolve("ca.key"), "half");
        // When
        TlsFiles files = DevelopmentCa.openOrCreate(folder, clock).issueNode(NODE);
        // Then
        NodeCredentials.load(files, NODE, clock.instant());
    }

    @Test
    void processesThatStartTogetherShareOneAuthority() throws Exception {
        // Given
        Path folder = home.resolve("race");
        // When
        var children = new ArrayList<Process>();
        for (int i = 0; i < 3; i++) {
            children.add(child(folder));
        }
        var printed = new ArrayList<String>();
        for (Process child : children) {
            printed.add(output(child));
        }
        // Then
        assertThat(printed).allMatch(line -> line.startsWith("serials ")).containsOnly(printed.getFirst());
    }

    /** With the class path of the program, on which there is no BouncyCastle. */
    private static Process child(Path folder) throws IOException {
        String classPath = Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> !entry.contains("bouncycastle"))
                .collect(Collectors.joining(File.pathSeparator));
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx64m",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        classPath,
                        Child.class.getName(),
                        folder.toString())
                .redirectErrorStream(true)
                .start();
    }

    private static String output(Process child) throws Exception {
        try {
            String text = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(child.waitFor(20, TimeUnit.SECONDS)).isTrue();
            return text.strip();
        } finally {
            child.destroyForcibly();
        }
    }
}
