package io.quantadb.node.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.pki.TlsFiles;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PlainStartTest {
    @TempDir
    private Path folder;

    /** Run in a process of its own: starts a transport from files that exist and opens a stream to itself. */
    static final class Child {
        public static void main(String[] args) throws Exception {
            var files = new TlsFiles(Path.of(args[0]), Path.of(args[1]), Path.of(args[2]));
            HostPort raft = HostPort.parse(args[3]);
            HostPort replication = HostPort.parse(args[4]);
            var config = new TransportConfig(new NodeId("node1"), raft, replication, files);
            try (var transport = new NettyTransport(config, System::nanoTime, InstantSource.system(), new Random(1))) {
                transport.network().start(new TestingHandler());
                transport.streams().start();
                transport
                        .streams()
                        .setAcceptor(StreamKind.HELLO, (in, verdict) -> verdict.accept(in.header(), channel -> {}));
                var opened = transport
                        .streams()
                        .open(replication, null, StreamKind.HELLO, new byte[] {7}, Duration.ofSeconds(10))
                        .get(10, TimeUnit.SECONDS);
                System.out.println("answered " + opened.reply()[0]);
            }
        }
    }

    @Test
    void aTransportOfExistingFilesLoadsNoBouncyCastle() throws Exception {
        try (var cluster = new TestingCluster(folder)) {
            // Given
            TlsFiles files = cluster.files("node1");
            var command = List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xmx64m",
                    "-XX:TieredStopAtLevel=1",
                    "--enable-native-access=ALL-UNNAMED",
                    "-Xlog:class+load:stdout",
                    "-cp",
                    System.getProperty("java.class.path"),
                    Child.class.getName(),
                    files.ca().toString(),
                    files.cert().toString(),
                    files.key().toString(),
                    TestingCluster.freePort().toString(),
                    TestingCluster.freePort().toString());
            // When
            Process child =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            try {
                String text = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                assertThat(child.waitFor(30, TimeUnit.SECONDS)).isTrue();
                // Then
                assertThat(text).contains("answered 7").contains("io.netty.handler.ssl.JdkSslContext");
                assertThat(text.lines().filter(line -> line.contains("org.bouncycastle")))
                        .isEmpty();
            } finally {
                child.destroyForcibly();
            }
        }
    }
}
