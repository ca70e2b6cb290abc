package io.quantadb.operator.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which cluster {@code make e2e} uses: the script's own choice, with this machine's answers replaced. */
class ClusterWayTest {
    private static final String OWN = "/var/lib/quantadb-kube/kubeconfig";

    private static Commands.Result way(String kubeconfig, String wanted, boolean local, boolean docker) {
        Map<String, String> environment = new HashMap<>();
        environment.put("KUBECONFIG", kubeconfig);
        environment.put("E2E_CLUSTER", wanted);
        return Commands.attempt(
                Duration.ofSeconds(10),
                environment,
                "bash",
                "-c",
                "set -eo pipefail; . hack/e2e.d/way.sh; local_can() { %s; }; docker_can() { %s; }; way %s"
                        .formatted(local, docker, OWN));
    }

    @ParameterizedTest(name = "KUBECONFIG {0}, local {1}, Docker {2}")
    @CsvSource({
        "/home/a/.kube/config, true, true, given",
        "/home/a/.kube/config, false, false, given",
        "'', true, true, local",
        "'', true, false, local",
        OWN + ", true, true, local",
        "'', false, true, k3s",
        OWN + ", false, true, k3s",
        "'', false, false, none",
        OWN + ", false, false, none"
    })
    void takesTheFirstThatThereIs(String kubeconfig, boolean local, boolean docker, String expected) {
        assertThat(way(kubeconfig, "", local, docker)).isEqualTo(new Commands.Result(0, expected + "\n"));
    }

    @ParameterizedTest(name = "E2E_CLUSTER {0}, KUBECONFIG {1}, local {2}, Docker {3}")
    @CsvSource({
        "given, /home/a/.kube/config, false, false, given",
        "given, '', true, true, none",
        "local, /home/a/.kube/config, true, true, local",
        "local, '', false, true, none",
        "k3s, /home/a/.kube/config, true, true, k3s",
        "k3s, '', true, false, none"
    })
    void takesNoOtherThanThatWhichAPersonInsistsOn(
            String wanted, String kubeconfig, boolean local, boolean docker, String expected) {
        assertThat(way(kubeconfig, wanted, local, docker)).isEqualTo(new Commands.Result(0, expected + "\n"));
    }

    @Test
    void refusesAWordThatItDoesNotKnow() {
        Commands.Result result = way("", "kind", true, true);
        assertThat(result.status()).isNotZero();
        assertThat(result.output()).contains("E2E_CLUSTER=kind: say given, local or k3s");
    }
}
