package io.quantadb.operator.e2e;

import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.LogWatch;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** What several pods say, their past included, for as long as they live: the log of a pod that goes would go with it. */
final class LogWatches implements AutoCloseable {
    private static final Duration BEGINS_WITHIN = Duration.ofMinutes(1);

    private final List<ByteArrayOutputStream> said = new ArrayList<>();
    private final List<LogWatch> watches = new ArrayList<>();

    /** Returns when something of every log is here: a watch that begins late has missed what it was made for. */
    LogWatches(KubernetesClient client, String namespace, List<String> pods) {
        for (String pod : pods) {
            var out = new ByteArrayOutputStream();
            said.add(out);
            watches.add(client.pods()
                    .inNamespace(namespace)
                    .withName(pod)
                    .inContainer("node")
                    .watchLog(out));
        }
        await("every pod's log").atMost(BEGINS_WITHIN).until(() -> said.stream().allMatch(out -> out.size() > 0));
    }

    /** How many lines of all logs so far contain this. */
    long count(String words) {
        return said.stream()
                .flatMap(out -> out.toString(StandardCharsets.UTF_8).lines())
                .filter(line -> line.contains(words))
                .count();
    }

    @Override
    public void close() {
        watches.forEach(LogWatch::close);
    }
}
