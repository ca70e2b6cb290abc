package io.quantadb.operator.e2e;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Optional;
import org.testcontainers.k3s.K3sContainer;
import org.testcontainers.utility.DockerImageName;

/**
 * Holds a K3s in a container for {@code hack/run-e2e}: writes {@code container} (its id) and then {@code kubeconfig} into
 * the folder that it is given, and ends both when its input ends.
 */
final class K3s {
    private static final String IMAGE = "rancher/k3s:v1.31.5-k3s1";
    private static final Duration STARTS_WITHIN = Duration.ofMinutes(5);

    private K3s() {}

    public static void main(String[] arguments) throws IOException {
        Path folder = Path.of(arguments[0]);
        String image = Optional.ofNullable(System.getenv("E2E_K3S_IMAGE")).orElse(IMAGE);
        try (var k3s = new K3sContainer(DockerImageName.parse(image).asCompatibleSubstituteFor("rancher/k3s"))) {
            k3s.withStartupTimeout(STARTS_WITHIN).start();
            Files.writeString(folder.resolve("container"), k3s.getContainerId());
            publish(folder.resolve("kubeconfig"), k3s.getKubeConfigYaml());
            while (System.in.read() >= 0) {
                // Nothing is said to it; the end of its input is what it waits for.
            }
        }
    }

    /** Readable for its owner only, and there at once as a whole: whoever waits for it reads it then. */
    static void publish(Path file, String text) throws IOException {
        Path fresh = Files.createTempFile(
                file.toAbsolutePath().getParent(),
                "kubeconfig",
                ".new",
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(fresh, text);
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
    }
}
