package io.quantadb.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.config.DataSize;
import io.quantadb.node.pgwire.PasswordLogin;
import io.quantadb.node.pgwire.PgError;
import io.quantadb.node.pgwire.SqlDial;
import io.quantadb.node.pgwire.SqlState;
import io.quantadb.node.verify.Comparison;
import io.quantadb.node.verify.Limits;
import io.quantadb.node.verify.Pauses;
import io.quantadb.node.verify.ReadFailure;
import io.quantadb.node.verify.Report;
import io.quantadb.node.verify.SqlReader;
import io.quantadb.node.verify.TableRef;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code quantadb verify}: compares what the nodes hold, over their SQL ports, and says what differs. */
@Command(
        name = "verify",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Compare the rows of all nodes, table by table, while the cluster goes on working.",
            "Reads only, at a bounded rate, and holds nothing up."
        },
        exitCodeListHeading = "Exit codes: ",
        exitCodeList = {"0:all alike", "13:something differs or cannot be read", "14:not everything could be compared"})
final class VerifyCommand implements Callable<Integer> {
    private static final Duration CONNECT = Duration.ofSeconds(10);
    private static final Duration PROGRESS_EVERY = Duration.ofSeconds(10);
    /** The class of SQLSTATEs for who is not let in. */
    private static final String INVALID_AUTHORIZATION = "28";

    private static final String INSUFFICIENT_PRIVILEGE = "42501";

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(
            names = "--database",
            split = ",",
            paramLabel = "NAME",
            description = "databases to compare (default: all that take connections)")
    private List<String> databases = List.of();

    @Option(
            names = "--table",
            split = ",",
            paramLabel = "[SCHEMA.]NAME",
            description = "tables to compare (default: all)")
    private List<String> tables = List.of();

    @Option(
            names = "--rate",
            paramLabel = "SIZE",
            defaultValue = "20MB",
            description = "how much of each node to read in a second, 0B for no bound (default ${DEFAULT-VALUE})")
    private String rate = "20MB";

    @Option(
            names = "--wait",
            paramLabel = "TIME",
            defaultValue = "30s",
            description = "patience with a standby that is behind, and with rows in doubt (default ${DEFAULT-VALUE})")
    private String wait = "30s";

    @Option(names = "--json", description = "print the result as JSON")
    private boolean json;

    @Option(
            names = "--user",
            paramLabel = "ROLE",
            defaultValue = "postgres",
            description = "role to read as (default ${DEFAULT-VALUE})")
    private String user = "postgres";

    @Option(
            names = "--passfile",
            paramLabel = "FILE",
            description = "its password, as libpq's .pgpass has it (default: the demo's, else as libpq finds it)")
    private @Nullable Path passfile;

    @Option(names = "--sql-ca", paramLabel = "FILE", description = "want TLS on the SQL ports, and trust this ca.crt")
    private @Nullable Path sqlCa;

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

    private final Map<String, String> environment;
    private long toldAt = System.nanoTime();

    VerifyCommand(Map<String, String> environment) {
        this.environment = environment;
    }

    @Override
    public Integer call() {
        Limits limits = limits();
        ClusterClient.View view =
                StatusCommand.ask(api, files.client(), DemoFolder.named(dir, environment), dir != null);
        Nodes nodes = Nodes.of(view);
        Comparison.Opener opener = opener(nodes);
        Set<String> met = new HashSet<>();
        Report report;
        try {
            Comparison comparison =
                    new Comparison(nodes.primary(), nodes.standbys(), opener, limits, Pauses.real(), this::progress);
            report = comparison.run(databases(opener, nodes.primary()), table -> wanted(table, met), nodes.absent());
        } catch (ReadFailure e) {
            throw unreadable(e);
        }
        requireMet(met);
        if (json) {
            spec.commandLine().getOut().println(VerifyJson.of(report).toPrettyString());
        } else {
            spec.commandLine().getOut().print(new VerifyTable().render(report));
        }
        ExitCode code = switch (report.verdict()) {
            case SAME -> ExitCode.OK;
            case DIFFERENT -> ExitCode.DIFFERENT;
            case INCOMPLETE -> ExitCode.INCOMPLETE;
        };
        return code.status();
    }

    /**
     * Whom to compare.
     *
     * @param at where each takes SQL for its own server
     * @param absent those that need not be tried, and why
     */
    private record Nodes(NodeId primary, List<NodeId> standbys, Map<NodeId, HostPort> at, Map<NodeId, String> absent) {
        static Nodes of(ClusterClient.View view) {
            if (view.primary().isEmpty()) {
                throw new Failure(
                        ExitCode.NOT_RUNNING,
                        "the cluster has no primary to compare with",
                        "see quantadb status, and run this again when there is one");
            }
            NodeId primary = new NodeId(view.primary());
            List<NodeId> standbys = new ArrayList<>();
            Map<NodeId, HostPort> at = new LinkedHashMap<>();
            Map<NodeId, String> absent = new LinkedHashMap<>();
            for (JsonNode node : view.body().path("nodes")) {
                if (node.path("kind").asText().equals("WITNESS")) {
                    continue;
                }
                NodeId id = new NodeId(node.path("id").asText());
                at.put(id, HostPort.parse(node.path("sql_address").asText()));
                String state = node.path("state").asText();
                if (!id.equals(primary)) {
                    standbys.add(id);
                    if (!state.equals("STREAMING")) {
                        absent.put(id, "its state is " + state);
                    }
                }
            }
            return new Nodes(primary, standbys, at, absent);
        }
    }

    /** What is told when there is nothing to compare with, by the reason that the primary gave. */
    static Failure unreadable(ReadFailure why) {
        String state = why.getCause() instanceof PgError said ? said.sqlState() : "";
        String what = "the primary %s cannot be read: %s".formatted(why.node(), why.words());
        if (state.startsWith(INVALID_AUTHORIZATION)) {
            return new Failure(
                    ExitCode.CONFIG,
                    what,
                    "look at --user, and at its line in the password file (see --passfile)",
                    why);
        }
        return switch (state) {
            case SqlState.INVALID_CATALOG_NAME ->
                new Failure(ExitCode.CONFIG, what, "look at --database; names are as the catalog has them", why);
            case INSUFFICIENT_PRIVILEGE ->
                new Failure(ExitCode.CONFIG, what, "name a role that may read it with --user", why);
            default ->
                new Failure(
                        ExitCode.NOT_RUNNING,
                        what,
                        "see quantadb status; when another node is primary now, run this again",
                        why);
        };
    }

    private Limits limits() {
        long bytes;
        try {
            bytes = DataSize.parse(rate).bytes();
        } catch (IllegalArgumentException e) {
            throw new Failure(ExitCode.CONFIG, "--rate %s %s".formatted(rate, e.getMessage()), "write --rate 20MB", e);
        }
        return Limits.USUAL.at(bytes).waiting(Waits.duration("--wait", wait));
    }

    private Comparison.Opener opener(Nodes nodes) {
        SqlDial dial = sqlCa == null ? SqlDial.preferringTls() : SqlDial.requiring(ClusterClient.trusting(sqlCa, null));
        Path demo = new DemoFolder(DemoFolder.named(dir, environment)).passfile();
        PassFile passwords = PassFile.find(
                        passfile, Optional.of(demo).filter(file -> api == null && Files.exists(file)), environment)
                .orElseThrow(() -> new Failure(
                        ExitCode.CONFIG,
                        "there is no password for role %s".formatted(user),
                        "name a file with --passfile, or set PGPASSFILE"));
        return (node, database) -> SqlReader.open(node, () -> {
            HostPort address = nodes.at().getOrDefault(node, new HostPort("localhost", 5432));
            String password = passwords
                    .password(address, database, user)
                    .orElseThrow(() -> new Failure(
                            ExitCode.CONFIG,
                            "the password file has no line for role %s in database %s at %s"
                                    .formatted(user, database, address),
                            "add one, or name another file with --passfile"));
            return dial.open(
                    address,
                    Map.of("user", user, "database", database, "application_name", "quantadb verify"),
                    new PasswordLogin(user, password),
                    CONNECT);
        });
    }

    private List<String> databases(Comparison.Opener opener, NodeId primary) {
        if (!databases.isEmpty()) {
            return databases;
        }
        try (SqlReader reader = opener.open(primary, "postgres")) {
            return reader.databases();
        }
    }

    private boolean wanted(TableRef table, Set<String> met) {
        if (tables.isEmpty()) {
            return true;
        }
        List<String> calling = tables.stream().filter(table::isCalled).toList();
        met.addAll(calling);
        return !calling.isEmpty();
    }

    private void requireMet(Set<String> met) {
        for (String word : tables) {
            if (!met.contains(word)) {
                throw new Failure(
                        ExitCode.CONFIG,
                        "no database that was looked at has a table called %s".formatted(word),
                        "write it as the catalog has it, with its schema where that is not clear: --table public.orders");
            }
        }
    }

    private void progress(String database, TableRef table, long done) {
        if (System.nanoTime() - toldAt >= PROGRESS_EVERY.toNanos()) {
            toldAt = System.nanoTime();
            spec.commandLine()
                    .getErr()
                    .println("%s %s: %d of %d MB"
                            .formatted(database, table, done >> 20, (table.bytes() + (1 << 20) - 1) >> 20));
        }
    }
}
