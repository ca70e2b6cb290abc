package io.quantadb.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.quantadb.node.common.HostPort;
import java.nio.file.Files;
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

/** {@code quantadb psql-url}: the last line is one URL that follows the primary. */
@Command(
        name = "psql-url",
        mixinStandardHelpOptions = true,
        description = "Print one URL that follows the primary (no password in it).")
final class PsqlUrlCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(names = "--api", split = ",", paramLabel = "HOST:PORT", description = "API of one or more nodes")
    private @Nullable List<String> api;

    @Mixin
    private ClientFiles files = new ClientFiles();

    @Option(names = "--dir", paramLabel = "DIR", description = "ask the demo of this folder")
    private @Nullable Path dir;

    @Option(names = "--user", paramLabel = "ROLE", defaultValue = "postgres", description = "role to connect as")
    private String user = "postgres";

    private final Map<String, String> environment;

    PsqlUrlCommand(Map<String, String> environment) {
        this.environment = environment;
    }

    @Override
    public Integer call() {
        Path demo = DemoFolder.named(dir, environment);
        ClusterClient.View view = StatusCommand.ask(api, files.client(), demo);
        List<HostPort> listeners = new ArrayList<>();
        for (JsonNode node : view.body().path("nodes")) {
            listeners.add(HostPort.parse(node.path("primary_sql_address").asText()));
        }
        Path passfile = new DemoFolder(demo).passfile();
        boolean ofDemo = api == null && Files.exists(passfile);
        spec.commandLine().getOut().println(PsqlUrl.of(listeners, user, ofDemo ? passfile : null));
        return ExitCode.OK.status();
    }
}
