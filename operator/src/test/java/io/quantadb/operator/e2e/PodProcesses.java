package io.quantadb.operator.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/**
 * The processes of one pod, seen from the machine that runs it. Only the local Kubernetes runs its pods where the tests
 * run.
 */
final class PodProcesses {
    private static final Path PROC = Path.of("/proc");

    private final String uid;

    /** @param uid of the pod; its control group is named after it */
    PodProcesses(String uid) {
        assertThat(uid).isNotEmpty();
        this.uid = uid;
    }

    static void assumeLocal() {
        Assumptions.assumeTrue(
                "1".equals(System.getenv("QUANTADB_E2E_LOCAL")),
                "needs the local Kubernetes of hack/kube: strikes from outside the API");
    }

    /** Kills the first process of the node's container, which takes every other one of it along. */
    void killContainer() {
        kill(all().stream().filter(p -> isFirst(p) && !name(p).equals("pause")).toList());
    }

    /** Kills every process of the pod, its sandbox's included: what is left is what a dead machine leaves. */
    void killPod() {
        kill(all());
    }

    private static void kill(List<ProcessHandle> processes) {
        assertThat(processes).as("processes to kill").isNotEmpty();
        processes.forEach(ProcessHandle::destroyForcibly);
        await("killed processes are gone")
                .atMost(Duration.ofSeconds(10))
                .until(() -> processes.stream().noneMatch(ProcessHandle::isAlive));
    }

    private List<ProcessHandle> all() {
        return ProcessHandle.allProcesses()
                .filter(p -> read(p, "cgroup").contains("pod" + uid))
                .toList();
    }

    /** Whether it is process 1 of its own namespace. */
    private static boolean isFirst(ProcessHandle process) {
        return read(process, "status").lines().anyMatch(line -> line.startsWith("NSpid:") && line.endsWith("\t1"));
    }

    private static String name(ProcessHandle process) {
        return read(process, "comm").strip();
    }

    /** A file of the process; empty when it has ended meanwhile. */
    private static String read(ProcessHandle process, String file) {
        try (Stream<String> lines = Files.lines(PROC.resolve(process.pid() + "/" + file))) {
            return String.join("\n", lines.toList());
        } catch (IOException | UncheckedIOException e) {
            return "";
        }
    }
}
