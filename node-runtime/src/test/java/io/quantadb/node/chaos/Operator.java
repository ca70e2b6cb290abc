package io.quantadb.node.chaos;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quantadb.node.cli.ClusterClient;
import io.quantadb.node.cli.DemoNode;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/** Asks a node for a change of the cluster, as people do, past the proxy. Any thread; waits for the answer. */
final class Operator {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final ClusterClient client;
    private final Supplier<List<DemoNode>> nodes;

    /** @param client shows a certificate that may change things */
    Operator(ClusterClient client, Supplier<List<DemoNode>> nodes) {
        this.client = client;
        this.nodes = nodes;
    }

    /** The cluster said no, and nothing was changed. */
    static final class Refused extends Strike.Skipped {
        Refused(String why) {
            super(why);
        }
    }

    static ObjectNode body() {
        return MAPPER.createObjectNode();
    }

    /**
     * Asks one node, which brings it to the leader.
     *
     * @param pick chooses the node among those whose agents run
     * @throws Refused when it was refused
     * @throws Strike.Skipped when there was no answer: it may have been done
     */
    void ask(int pick, String path, ObjectNode body) throws Strike.Skipped {
        List<DemoNode> all = nodes.get();
        DemoNode node = IntStream.range(0, all.size())
                .mapToObj(i -> all.get((pick + i) % all.size()))
                .filter(DemoNode::running)
                .findFirst()
                .orElseThrow(() -> new Refused("no agent runs"));
        ClusterClient.Reply reply = client.post(node.api(), path, body, null)
                .orElseThrow(() -> new Strike.Skipped("%s gave no answer".formatted(node.id())));
        String words = "%s said %d: %s"
                .formatted(node.id(), reply.status(), reply.body().path("error").asText());
        if (reply.status() == 503) {
            // It may have asked a leader whose answer was lost.
            throw new Strike.Skipped(words);
        }
        if (reply.status() >= 300) {
            throw new Refused(words);
        }
    }
}
