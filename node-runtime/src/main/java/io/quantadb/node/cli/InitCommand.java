package io.quantadb.node.cli;

import io.quantadb.node.common.NodeId;
import io.quantadb.node.config.Durations;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
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
    private static final List<String> LOOPBACK = List.of("localhost", "127.0.0.1", "::1");

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            defaultValue = "./quantadb-tls",
            description = "where to (default ${DEFAULT-VALUE})")
    private Path dir = Path.of("quantadb-tls");

    @Option(
            names = "--cluster",
            paramLabel = "NAME",
            description = "the cluster's name, when its CA is made (default quantadb)")
    private @Nullable String cluster;

    @Option(
            names = "--valid-for",
            paramLabel = "TIME",
            defaultValue = "365d",
            description = "how long the certificates are good (default ${DEFAULT-VALUE})")
    private String validFor = "365d";

    @Option(names = "--operator", paramLabel = "NAME", description = "somebody who may change things through the API")
    private @Nullable List<String> operators;

    @Option(names = "--viewer", paramLabel = "NAME", description = "somebody who may read through the API")
    private @Nullable List<String> viewers;

    @Parameters(
            paramLabel = "NODE[=HOST,…]",
            arity = "0..*",
            description = "a node id, and the names and addresses it is reached by (default: those of its present"
                    + " certificate, else loopback)")
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
        requireDistinct(Stream.of(wanted.stream().map(Wanted::id), changing.stream(), reading.stream())
                .flatMap(names -> names)
                .toList());
        Duration validity = validity(validFor);
        CertificateAuthority authority = services.authority().get();
        String name = clusterName(authority, target);
        boolean made = authority.createAuthority(target, name);
        out.println("%s the CA of cluster '%s' in %s".formatted(made ? "made" : "kept", name, target));
        for (Wanted node : wanted) {
            List<String> hosts = hosts(authority, target, node);
            authority.issueNode(target, node.id(), hosts, validity);
            out.println("issued %s.crt and %s.key for %s, good for %s"
                    .formatted(node.id(), node.id(), String.join(", ", hosts), validFor));
        }
        for (NodeId caller : changing) {
            authority.issueCaller(target, caller, true, validity);
            out.println("issued %s.crt and %s.key for an operator, good for %s".formatted(caller, caller, validFor));
        }
        for (NodeId caller : reading) {
            authority.issueCaller(target, caller, false, validity);
            out.println("issued %s.crt and %s.key for a viewer, good for %s".formatted(caller, caller, validFor));
        }
        if (wanted.isEmpty()) {
            return ExitCode.OK.status();
        }
        out.println("give each node ca.crt and its own two files; keep ca.key where certificates are issued");
        out.println("start a node with: quantadb --tls-dir %s --node-id %s …"
                .formatted(target, wanted.getFirst().id()));
        return ExitCode.OK.status();
    }

    private String clusterName(CertificateAuthority authority, Path target) {
        String there = authority.clusterName(target).orElse("");
        if (cluster != null && !there.isEmpty() && !there.equals(cluster)) {
            throw new Failure(
                    ExitCode.CONFIG,
                    "%s holds the CA of cluster '%s', and --cluster says '%s'".formatted(target, there, cluster),
                    "leave --cluster away, or choose another --dir");
        }
        return !there.isEmpty() ? there : cluster == null ? "quantadb" : cluster;
    }

    /** A certificate that is renewed keeps its names unless others are given. */
    private static List<String> hosts(CertificateAuthority authority, Path target, Wanted node) {
        if (!node.hosts().isEmpty()) {
            return node.hosts();
        }
        List<String> before = authority.issuedNames(target, node.id());
        return before.isEmpty() ? LOOPBACK : before;
    }

    /** Each has files of its own, and a later one would replace an earlier. */
    private static void requireDistinct(List<NodeId> all) {
        for (NodeId id : all) {
            if (Collections.frequency(all, id) > 1) {
                throw new Failure(
                        ExitCode.CONFIG,
                        "two certificates are asked for with the name '%s'".formatted(id),
                        "give every node, operator and viewer a name of its own");
            }
        }
    }

    private static Duration validity(String text) {
        try {
            Duration validity = Durations.parse(text);
            if (validity.compareTo(Duration.ofSeconds(1)) < 0) {
                throw new IllegalArgumentException("is less than a second");
            }
            return validity;
        } catch (IllegalArgumentException e) {
            throw new Failure(
                    ExitCode.CONFIG, "--valid-for %s %s".formatted(text, e.getMessage()), "write --valid-for 90d", e);
        }
    }

    private static List<NodeId> names(String flag, @Nullable List<String> texts) {
        try {
            return texts == null ? List.of() : texts.stream().map(NodeId::new).toList();
        } catch (IllegalArgumentException e) {
            throw new Failure(
                    ExitCode.CONFIG, "%s: %s".formatted(flag, e.getMessage()), "write %s admin".formatted(flag), e);
        }
    }

    /**
     * A node to issue for, as {@code node1=db1.example,10.0.0.1}.
     *
     * @param hosts empty when none were given
     */
    record Wanted(NodeId id, List<String> hosts) {
        static Wanted parse(String text) {
            int equals = text.indexOf('=');
            try {
                NodeId id = new NodeId(equals < 0 ? text : text.substring(0, equals));
                List<String> hosts = equals < 0
                        ? List.of()
                        : List.of(text.substring(equals + 1).split(","));
                if (hosts.stream().anyMatch(String::isBlank)) {
                    throw new IllegalArgumentException("'%s' names an empty host".formatted(text));
                }
                return new Wanted(id, hosts);
            } catch (IllegalArgumentException e) {
                throw new Failure(ExitCode.CONFIG, String.valueOf(e.getMessage()), "write node1=host,address", e);
            }
        }
    }
}
