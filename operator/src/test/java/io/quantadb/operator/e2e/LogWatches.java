package io.quantadb.operator.e2e;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.LogWatch;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** What several pods say from the moment on that this was made: the log of a pod that goes would go with it. */
final class LogWatches implements AutoCloseable {
    private final List<ByteArrayOutputStream> said = new ArrayList<>();
    private final List<LogWatch> watches = new ArrayList<>();

    LogWatches(KubernetesClient client, String namespace, List<String> pods) {
        for (String pod : pods) {
            var out = new ByteArrayOutputStream();
            said.add(out);
            watches.add(client.pods()
                    .inNamespace(namespace)
                    .withName(pod)
                    .inContainer("node")
                    .tailingLines(0)
                    .watchLog(out));
        }
    }

    /** All of it so far, pod after pod. */
    String text() {
        StringBuilder all = new StringBuilder();
        said.forEach(out -> all.append(out.toString(StandardCharsets.UTF_8)));
        return all.toString();
    }

    @Override
    public void close() {
        watches.forEach(LogWatch::close);
    }
}
