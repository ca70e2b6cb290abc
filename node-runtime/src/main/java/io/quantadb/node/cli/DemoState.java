package io.quantadb.node.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.config.Ports;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a demo remembers between two commands, in {@code demo.json} of its folder:
 * <pre>
 * {"version": 1, "nodes": [{"id": "node1", "host": "127.0.0.1", "ports": [5432, 6432, 7432, 8432, 9432],
 *                           "pid": 4711, "started": 123456, "boot": "…"}]}
 * </pre>
 */
record DemoState(List<DemoNode> nodes) {
    private static final int VERSION = 1;
    private static final ObjectMapper MAPPER = new ObjectMapper();

    DemoState {
        nodes = List.copyOf(nodes);
    }

    static Path file(Path folder) {
        return folder.resolve("demo.json");
    }

    /** Reads the state of the demo in this folder; empty when there is none. */
    static Optional<DemoState> read(Path folder) {
        Path file = file(folder);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            JsonNode root = MAPPER.readTree(Files.readString(file));
            if (root.path("version").asInt() != VERSION) {
                throw new Failure(
                        ExitCode.DATA_DIRECTORY,
                        "%s was written by another version of this program".formatted(file),
                        "stop that demo with the version that started it, or remove its folder");
            }
            List<DemoNode> nodes = new ArrayList<>();
            for (JsonNode node : root.path("nodes")) {
                nodes.add(node(folder, node));
            }
            return Optional.of(new DemoState(nodes));
        } catch (IOException | IllegalArgumentException e) {
            throw new Failure(
                    ExitCode.DATA_DIRECTORY,
                    "%s cannot be read: %s".formatted(file, firstLine(e)),
                    "end the demo's processes by hand and remove its folder",
                    e);
        }
    }

    private static String firstLine(Exception e) {
        return String.valueOf(e instanceof JsonProcessingException j ? j.getOriginalMessage() : e.getMessage());
    }

    private static DemoNode node(Path folder, JsonNode node) {
        NodeId id = new NodeId(node.path("id").asText());
        JsonNode p = node.path("ports");
        Ports ports = new Ports(
                p.path(0).asInt(),
                p.path(1).asInt(),
                p.path(2).asInt(),
                p.path(3).asInt(),
                p.path(4).asInt());
        ProcessMark agent = node.has("pid")
                ? new ProcessMark(
                        node.path("pid").asLong(),
                        node.path("started").asLong(),
                        node.path("boot").asText())
                : null;
        String host = node.path("host").asText(DemoNode.HOST);
        return new DemoNode(id, host, ports, folder.resolve(id.value()), agent);
    }

    void write(Path folder) {
        ObjectNode root = MAPPER.createObjectNode().put("version", VERSION);
        ArrayNode list = root.putArray("nodes");
        for (DemoNode node : nodes) {
            ObjectNode out = list.addObject().put("id", node.id().value()).put("host", node.host());
            Ports p = node.ports();
            out.putArray("ports")
                    .add(p.sql())
                    .add(p.replication())
                    .add(p.raft())
                    .add(p.api())
                    .add(p.primary());
            ProcessMark agent = node.agent();
            if (agent != null) {
                out.put("pid", agent.pid()).put("started", agent.started()).put("boot", agent.boot());
            }
        }
        PrivateFiles.write(file(folder), root.toPrettyString() + "\n");
    }

    DemoNode node(NodeId id) {
        return nodes.stream()
                .filter(n -> n.id().equals(id))
                .findFirst()
                .orElseThrow(() -> new Failure(
                        ExitCode.CONFIG,
                        "the demo has no node '%s'".formatted(id),
                        "use one of "
                                + String.join(
                                        ", ",
                                        nodes.stream().map(n -> n.id().value()).toList())));
    }

    DemoState with(NodeId id, @Nullable ProcessMark agent) {
        return new DemoState(
                nodes.stream().map(n -> n.id().equals(id) ? n.with(agent) : n).toList());
    }
}
