package io.quantadb.node.cli;

import io.quantadb.node.common.NodeId;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code quantadb init}: a cluster's own certificate authority and its nodes' certificates, as files. */
@Command(
        name = "init",
        mixinStandardHelpOptions = true,
        description = "Make a cluster's CA (once) and certificates for its nodes.")
final class InitCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            defaultValue = "./quantadb-tls",
            description = "where to (default ${DEFAULT-VALUE})")
    private Path dir = Path.of("quantadb-tls");

    @Option(names = "--cluster", paramLabel = "NAME", defaultValue = "quantadb", description = "the cluster's name")
    private String cluster = "quantadb";

    @Option(names = "--operator", paramLabel = "NAME", description = "somebody who may change things through the API")
    private @Nullable List<String> operators;

    @Option(names = "--viewer", paramLabel = "NAME", description = "somebody who may read through the API")
    private @Nullable List<String> viewers;

    @Parameters(paramLabel = "NODE[=HOST,…]", arity = "0..*", description = "a node id, and the names it is reached by")
    private @Nullable List<String> nodes;

    private final Services services;
    private final Path workDir;

    InitCommand(Services services, Path workDir) {
        this.services = services;
        this.workDir = workDir;
    }

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        Path target = workDir.resolve(dir).toAbsolutePath().normalize();
        List<Wanted> wanted = new ArrayList<>();
        for (String text : nodes == null ? List.<String>of() : nodes) {
            wanted.add(Wanted.parse(text));
        }
        List<NodeId> changing = names("--operator", operators);
        List<NodeId> reading = names("--viewer", viewers);
        if (wanted.isEmpty() && changing.isEmpty() && reading.isEmpty()) {
            throw new Failure(
                    ExitCode.CONFIG,
                    "Missing required parameter: 'NODE[=HOST,…]'",
                    "write quantadb init node1 node2 node3");
        }
        CertificateAuthority authority = services.authority().get();
        boolean made = authority.createAuthority(target, cluster);
        out.println("%s the CA of cluster '%s' in %s".formatted(made ? "made" : "kept", cluster, target));
        for (Wanted node : wanted) {
            authority.issueNode(target, node.id(), node.hosts());
            out.println("issued %s.crt and %s.key for %s".formatted(node.id(), node.id(), node.hosts()));
        }
        changing.forEach(name -> authority.issueCaller(target, name, true));
        reading.forEach(name -> authority.issueCaller(target, name, false));
        changing.forEach(name -> out.println("issued %s.crt and %s.key for an operator".formatted(name, name)));
        reading.forEach(name -> out.println("issued %s.crt and %s.key for a viewer".formatted(name, name)));
        if (wanted.isEmpty()) {
            return ExitCode.OK.status();
        }
        out.println("give each node ca.crt and its own two files; keep ca.key where certificates are issued");
        out.println("start a node with: quantadb --tls-dir %s --node-id %s …"
                .formatted(target, wanted.getFirst().id()));
        return ExitCode.OK.status();
    }

    private static List<NodeId> names(String flag, @Nullable List<String> texts) {
        try {
            return texts == null ? List.of() : texts.stream().map(NodeId::new).toList();
        } catch (IllegalArgumentException e) {
            throw new Failure(
                    ExitCode.CONFIG, "%s: %s".formatted(flag, e.getMessage()), "write %s admin".formatted(flag), e);
        }
    }

    /** A node to issue for, as {@code node1=db1.example,10.0.0.1}. */
    record Wanted(NodeId id, List<String> hosts) {
        static Wanted parse(String text) {
            int equals = text.indexOf('=');
            try {
                NodeId id = new NodeId(equals < 0 ? text : text.substring(0, equals));
                List<String> hosts = equals < 0
                        ? List.of("localhost", "127.0.0.1", "::1")
                        : List.of(text.substring(equals + 1).split(","));
                return new Wanted(id, hosts);
            } catch (IllegalArgumentException e) {
                throw new Failure(ExitCode.CONFIG, String.valueOf(e.getMessage()), "write node1=host,address", e);
            }
        }
    }
}
