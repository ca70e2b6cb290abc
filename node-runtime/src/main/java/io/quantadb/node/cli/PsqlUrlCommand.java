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

    @Option(names = "--user", paramLabel = "ROLE", defaultValue = "postgres", description = "role to connect as")
    private String user = "postgres";

    @Option(
            names = "--sslrootcert",
            paramLabel = "FILE",
            description = "have clients check the nodes' certificates and names against this CA (sslmode=verify-full)")
    private @Nullable Path rootCertificate;

    private final Map<String, String> environment;

    PsqlUrlCommand(Map<String, String> environment) {
        this.environment = environment;
    }

    @Override
    public Integer call() {
        Path demo = DemoFolder.named(dir, environment);
        ClusterClient.View view = StatusCommand.ask(api, files.client(), demo, dir != null);
        List<HostPort> listeners = new ArrayList<>();
        for (JsonNode node : view.body().path("nodes")) {
            listeners.add(HostPort.parse(node.path("primary_sql_address").asText()));
        }
        if (listeners.isEmpty()) {
            throw new Failure(
                    ExitCode.NOT_RUNNING,
                    "node %s at %s is in no cluster yet"
                            .formatted(view.body().path("answered_by").asText(), view.askedAt()),
                    "see its log, or name a member of the cluster with --api host:port");
        }
        Path passfile = new DemoFolder(demo).passfile();
        boolean ofDemo = api == null && Files.exists(passfile);
        Path root = rootCertificate == null ? null : readable(rootCertificate);
        spec.commandLine().getOut().println(PsqlUrl.of(listeners, user, ofDemo ? passfile : null, root));
        return ExitCode.OK.status();
    }

    private static Path readable(Path file) {
        if (!Files.isReadable(file)) {
            throw new Failure(
                    ExitCode.CERTIFICATE,
                    "--sslrootcert: %s does not exist or cannot be read".formatted(file),
                    "name the ca.crt that quantadb init made");
        }
        return file.toAbsolutePath().normalize();
    }
}
