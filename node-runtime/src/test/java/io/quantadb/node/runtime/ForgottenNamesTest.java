package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.transport.NettyTransport;
import java.io.BufferedReader;
import java.io.File;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A moved pod keeps its name and changes its address: the JVM must ask for it at each dial. */
class ForgottenNamesTest {
    @Test
    @Timeout(60)
    void seesANewAddressAndANewNameAtOnce(@TempDir Path folder) throws Exception {
        // Given a JVM of its own, since a JVM reads how long to remember names once
        Path hosts = Files.writeString(folder.resolve("hosts"), "127.0.0.7 pod-0\n");
        Process asker = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx32m",
                        "-XX:TieredStopAtLevel=1",
                        "-Djdk.net.hosts.file=" + hosts,
                        "-cp",
                        System.getProperty("java.class.path"),
                        Asker.class.getName())
                .redirectError(new File("/dev/null"))
                .start();
        try (BufferedReader answers = asker.inputReader();
                OutputStream questions = asker.getOutputStream()) {
            assertThat(ask(questions, answers, "pod-0")).isEqualTo("127.0.0.7");
            assertThat(ask(questions, answers, "pod-1")).isEqualTo("unknown");

            // When
            Files.writeString(hosts, "127.0.0.8 pod-0\n127.0.0.9 pod-1\n");

            // Then
            assertThat(ask(questions, answers, "pod-0")).isEqualTo("127.0.0.8");
            assertThat(ask(questions, answers, "pod-1")).isEqualTo("127.0.0.9");
        } finally {
            asker.destroyForcibly();
            assertThat(asker.waitFor(10, TimeUnit.SECONDS)).isTrue();
        }
    }

    private static String ask(OutputStream questions, BufferedReader answers, String name) throws Exception {
        questions.write((name + "\n").getBytes(StandardCharsets.UTF_8));
        questions.flush();
        return answers.readLine();
    }

    /** Looks names up as an agent does, a line each. */
    static final class Asker {
        private Asker() {}

        public static void main(String[] args) throws Exception {
            NettyTransport.forgetNames();
            try (BufferedReader names =
                    new BufferedReader(new java.io.InputStreamReader(System.in, StandardCharsets.UTF_8))) {
                for (String name = names.readLine(); name != null; name = names.readLine()) {
                    String answer;
                    try {
                        answer = InetAddress.getAllByName(name)[0].getHostAddress();
                    } catch (UnknownHostException e) {
                        answer = "unknown";
                    }
                    System.out.println(answer);
                    System.out.flush();
                }
            }
        }
    }
}
