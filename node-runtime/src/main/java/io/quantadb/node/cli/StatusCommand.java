package io.quantadb.node.cli;

import io.quantadb.node.common.HostPort;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code quantadb status} and what it shares with {@code psql-url}: finding a cluster to ask. */
@Command(name = "status", mixinStandardHelpOptions = true, description = "Show a cluster's nodes.")
final class StatusCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(
            names = "--api",
            split = ",",
            paramLabel = "HOST:PORT",
            description = "API of one or more nodes (default: those of the demo, else localhost:8432)")
    private @Nullable List<String> api;

    @Mixin
    private ClientFiles files = new ClientFiles();

    @Option(names = "--dir", paramLabel = "DIR", description = "ask the demo of this folder")
    private @Nullable Path dir;

    @Option(names = "--json", description = "print the answer of /cluster/nodes")
    private boolean json;

    private final Map<String, String> environment;

    StatusCommand(Map<String, String> environment) {
        this.environment = environment;
    }

    @Override
    public Integer call() {
        ClusterClient.View view = ask(api, files.client(), DemoFolder.named(dir, environment), dir != null);
        if (json) {
            spec.commandLine().getOut().println(view.body().toPrettyString());
        } else {
            spec.commandLine().getOut().print(DemoCommand.table().render(view.body()));
        }
        return ExitCode.OK.status();
    }

    /**
     * The best answer of the nodes named, or of those of the demo, or of the usual port.
     *
     * @param chosen the user named the demo's folder, so that nothing else will do
     */
    static ClusterClient.View ask(@Nullable List<String> named, ClusterClient client, Path demo, boolean chosen) {
        List<HostPort> apis = new ArrayList<>();
        if (named != null) {
            named.forEach(text -> apis.add(address(text)));
        } else {
            DemoState.read(demo).ifPresent(state -> state.nodes().forEach(node -> apis.add(node.api())));
            if (apis.isEmpty() && chosen) {
                throw new Failure(
                        ExitCode.NOT_RUNNING,
                        "there is no demo in %s".formatted(demo),
                        "start one with quantadb demo up --dir, or name a node's API with --api host:port");
            }
            if (apis.isEmpty()) {
                apis.add(new HostPort("localhost", 8432));
            }
        }
        return ask(apis, client);
    }

    /** The best answer of these nodes. */
    static ClusterClient.View ask(List<HostPort> apis, ClusterClient client) {
        Survey survey = client.survey(apis);
        return survey.best().orElseThrow(survey::failure);
    }

    static HostPort address(String text) {
        try {
            return HostPort.parse(text);
        } catch (IllegalArgumentException e) {
            throw new Failure(ExitCode.CONFIG, "--api: " + e.getMessage(), "write --api localhost:8432", e);
        }
    }
}
