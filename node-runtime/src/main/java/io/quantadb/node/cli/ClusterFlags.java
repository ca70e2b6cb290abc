package io.quantadb.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.quantadb.node.common.HostPort;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The flags of commands that change a cluster: which nodes to ask, and what to prove oneself with. */
final class ClusterFlags {
    @Option(
            names = "--api",
            split = ",",
            paramLabel = "HOST:PORT",
            description = "API of one or more nodes (default: those of the demo, else localhost:8432)")
    @Nullable
    List<String> api;

    @Option(names = "--dir", paramLabel = "DIR", description = "ask the demo of this folder")
    @Nullable
    Path dir;

    @Option(
            names = "--token-file",
            paramLabel = "FILE",
            description = "api.token in the asked node's run folder (loopback; the demo's are found)")
    @Nullable
    Path tokenFile;

    @Mixin
    private ClientFiles files = new ClientFiles();

    private record Target(HostPort api, @Nullable Path token) {}

    private List<Target> targets(Map<String, String> environment) {
        List<Target> all = new ArrayList<>();
        List<String> named = api;
        requireToken(tokenFile);
        if (named != null) {
            named.forEach(text -> all.add(new Target(StatusCommand.address(text), tokenFile)));
            return all;
        }
        DemoState.read(DemoFolder.named(dir, environment))
                .ifPresent(state -> state.nodes().forEach(node -> all.add(new Target(node.api(), node.token()))));
        if (all.isEmpty()) {
            all.add(new Target(new HostPort("localhost", 8432), tokenFile));
        }
        return all;
    }

    private static void requireToken(@Nullable Path file) {
        if (file != null && !Files.isReadable(file)) {
            throw new Failure(
                    ExitCode.CERTIFICATE,
                    "--token-file %s cannot be read by user %s".formatted(file, System.getProperty("user.name", "?")),
                    "name api.token in the run folder of the asked node, as its user and on its machine");
        }
    }

    /** Whom to ask, in this order. */
    List<HostPort> apis(Map<String, String> environment) {
        return targets(environment).stream().map(Target::api).toList();
    }

    /** The same, but first one that is known to answer. */
    List<HostPort> apis(Map<String, String> environment, HostPort first) {
        return Stream.concat(Stream.of(first), apis(environment).stream().filter(api -> !api.equals(first)))
                .toList();
    }

    ClusterClient client() {
        return files.client();
    }

    /** The best answer of the nodes to {@code /cluster/nodes}; throws {@link Failure} when none answers. */
    ClusterClient.View view(Map<String, String> environment) {
        return StatusCommand.ask(apis(environment), files.client());
    }

    /** The first answer of the nodes to a GET of that path; throws {@link Failure} when none answers. */
    JsonNode get(Map<String, String> environment, String path) {
        ClusterClient client = files.client();
        for (HostPort api : apis(environment, view(environment).askedAt())) {
            Optional<JsonNode> answer = client.get(api, path);
            if (answer.isPresent()) {
                return answer.get();
            }
        }
        throw new Failure(ExitCode.NOT_RUNNING, "no node answers", "name a node with --api host:port");
    }

    /**
     * Has one of the nodes make a change; the next is asked when one is not there or has no leader.
     *
     * @return what the node said of it for people; throws {@link Failure} when it was refused or nobody answered
     */
    String change(Map<String, String> environment, String path, JsonNode body) {
        JsonNode said = changed(environment, apis(environment), path, body);
        return said.path("detail").asText(said.path("message").asText());
    }

    /**
     * The same, with all that the node answered.
     *
     * @param order some of {@link #apis}
     */
    JsonNode changed(Map<String, String> environment, List<HostPort> order, String path, JsonNode body) {
        ClusterClient.Reply reply = reply(environment, order, path, body);
        if (reply.status() < 300) {
            return reply.body();
        }
        throw refused(reply);
    }

    /** What the first answered that is there and has a leader, whatever it says; throws when nobody answered. */
    ClusterClient.Reply reply(Map<String, String> environment, List<HostPort> order, String path, JsonNode body) {
        ClusterClient client = files.client();
        ClusterClient.Reply last = null;
        Map<HostPort, Target> targets = new HashMap<>();
        targets(environment).forEach(target -> targets.put(target.api(), target));
        for (HostPort api : order) {
            Optional<ClusterClient.Reply> reply = client.post(api, path, body, token(targets.get(api)));
            if (reply.isPresent()) {
                last = reply.get();
                if (last.status() != 503) {
                    return last;
                }
            }
        }
        if (last == null) {
            throw new Failure(
                    ExitCode.NOT_RUNNING,
                    "no node answers",
                    "see quantadb status: the change may have been made; name a node with --api host:port");
        }
        return last;
    }

    /** In words for who typed a command; the hints of the API are for who sent a request. */
    static Failure refused(ClusterClient.Reply reply) {
        String error = reply.body().path("error").asText();
        return switch (reply.status()) {
            case 400 -> new Failure(ExitCode.CONFIG, error, "see --help");
            case 401, 403 ->
                new Failure(
                        ExitCode.CERTIFICATE,
                        error,
                        "show --ca, --cert and --key of an operator, or --token-file of the asked node");
            case 503 -> new Failure(ExitCode.TIMEOUT, error, "see quantadb status, and ask again");
            case 404, 409 -> new Failure(ExitCode.REFUSED, error, "nothing was changed; see quantadb members");
            default ->
                new Failure(ExitCode.INTERNAL, error, reply.body().path("hint").asText());
        };
    }

    private static @Nullable String token(@Nullable Target target) {
        Path file = target == null ? null : target.token();
        if (file == null || !Files.isReadable(file)) {
            return null;
        }
        try {
            return Files.readString(file, StandardCharsets.US_ASCII).strip();
        } catch (IOException e) {
            return null;
        }
    }
}
