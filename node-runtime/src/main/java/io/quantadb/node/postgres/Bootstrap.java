package io.quantadb.node.postgres;

import io.quantadb.node.common.IoReason;
import io.quantadb.node.common.NodeException.LocalFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Creates a new database cluster, offline: when its server first takes a connection, the agent's role and the rights are
 * in place already, and no commit of the bootstrap has to wait for a voice that is not there yet.
 *
 * <ol>
 *   <li>initdb with checksums, UTF-8, C.UTF-8, superuser {@code postgres} (its password from a file, or none: then it
 *       cannot log in through the front until one is set);
 *   <li>single-user sessions: {@code pg_cancel_backend} taken from PUBLIC in the templates that databases are made from, the
 *       role {@code quantadb}, the application's role and database;
 *   <li>all of it is flushed, once, and the marker of an unfinished directory is removed. It was set first: a crash in
 *       between is seen by {@link DataDirectory#inspect} as {@link DirectoryContents.Incomplete}.
 * </ol>
 */
public final class Bootstrap {
    private static final Duration INITDB_DEADLINE = Duration.ofMinutes(2);
    private static final Duration SQL_DEADLINE = Duration.ofMinutes(1);
    private static final Pattern SECRET_LINE = Pattern.compile("[^\\r\\n\\x00]+");

    private final PostgresBinaries binaries;
    private final ServerUser user;
    private final Path privateDirectory;

    /**
     * What to create beside the cluster itself.
     *
     * @param superuser the name of the superuser for people
     * @param superuserPasswordFile one line; null leaves the superuser without a password
     * @param walSegmentMegabytes a power of two, 16 by default
     * @param application null for none
     */
    public record Wanted(
            String superuser,
            @Nullable Path superuserPasswordFile,
            int walSegmentMegabytes,
            @Nullable Application application) {
        public static final Wanted PLAIN = new Wanted("postgres", null, 16, null);

        public Wanted {
            if (Integer.bitCount(walSegmentMegabytes) != 1 || walSegmentMegabytes > 1024) {
                throw new IllegalArgumentException(
                        "WAL segments of %d MB: use a power of two from 1 to 1024".formatted(walSegmentMegabytes));
            }
        }
    }

    /** A database and the role that owns it; the password file holds one line, null for none. */
    public record Application(
            String database, String owner, @Nullable Path passwordFile) {
        public Application {
            if (database.isBlank() || owner.isBlank() || owner.equals(ServerConfig.AGENT_ROLE)) {
                throw new IllegalArgumentException(
                        "application database '%s' of owner '%s': both need a name, and the owner may not be '%s'"
                                .formatted(database, owner, ServerConfig.AGENT_ROLE));
            }
        }
    }

    public Bootstrap(PostgresBinaries binaries, ServerUser user, Path privateDirectory) {
        this.binaries = binaries;
        this.user = user;
        this.privateDirectory = privateDirectory;
    }

    /** Reads the passwords that {@link #create} will need; {@link LocalFault} when one cannot be. Changes nothing. */
    public static void requirePasswords(Wanted wanted) {
        Application application = wanted.application();
        Stream.of(
                        Optional.ofNullable(wanted.superuserPasswordFile()),
                        Optional.ofNullable(application == null ? null : application.passwordFile()))
                .flatMap(Optional::stream)
                .forEach(Bootstrap::secret);
    }

    /** Fills an empty (or absent) directory; {@link LocalFault} with what PostgreSQL said when that fails. */
    public void create(DataDirectory directory, Wanted wanted) {
        Path data = directory.path();
        directory.create();
        directory.unfinished();
        user.privateDirectory(privateDirectory);
        Path passwords = privateDirectory.resolve("initdb.password");
        try {
            if (wanted.superuserPasswordFile() != null) {
                PrivateFile.write(passwords, secret(wanted.superuserPasswordFile()) + "\n", user);
            }
            ToolRun initdb = ToolRun.of(
                    user.command("TERM", initdb(data, wanted, passwords)), "", Path.of("/"), INITDB_DEADLINE);
            if (!initdb.succeeded()) {
                throw new LocalFault("initdb could not create a cluster in %s: %s".formatted(data, initdb.lastWords()));
            }
            revokeAndCreate(data, wanted.superuser(), wanted.application());
            ToolRun sync = ToolRun.of(
                    user.command("TERM", List.of(binaries.initdb().toString(), "--sync-only", "--pgdata=" + data)),
                    "",
                    Path.of("/"),
                    INITDB_DEADLINE);
            if (!sync.succeeded()) {
                throw new LocalFault(
                        "the new cluster in %s could not be flushed: %s".formatted(data, sync.lastWords()));
            }
            directory.finished();
        } catch (IOException e) {
            throw new LocalFault("cannot create a cluster in %s: %s".formatted(data, IoReason.of(e)), e);
        } finally {
            PrivateFile.deleteQuietly(passwords);
        }
    }

    private void revokeAndCreate(Path data, String superuser, @Nullable Application application) {
        String revoke = "REVOKE EXECUTE ON FUNCTION pg_catalog.pg_cancel_backend(integer) FROM PUBLIC";
        singleUser(data, "template1", List.of(revoke));
        var statements = new ArrayList<String>();
        statements.add(revoke);
        statements.add("CREATE ROLE %s SUPERUSER REPLICATION LOGIN".formatted(ServerConfig.AGENT_ROLE));
        if (application != null) {
            String owner = identifier(application.owner());
            if (!application.owner().equals(superuser)) {
                statements.add("CREATE ROLE %s LOGIN".formatted(owner));
            }
            if (application.passwordFile() != null) {
                statements.add(
                        "ALTER ROLE %s PASSWORD %s".formatted(owner, literal(secret(application.passwordFile()))));
            }
            if (!application.database().equals("postgres")) {
                statements.add("CREATE DATABASE %s OWNER %s".formatted(identifier(application.database()), owner));
            }
        }
        singleUser(data, "postgres", statements);
    }

    private List<String> initdb(Path data, Wanted wanted, Path passwords) {
        var command = new ArrayList<>(List.of(
                binaries.initdb().toString(),
                "--pgdata=" + data,
                "--username=" + wanted.superuser(),
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--data-checksums",
                "--no-sync",
                "--wal-segsize=" + wanted.walSegmentMegabytes(),
                // The agent's own access rules replace the file that this would write.
                "--auth=reject"));
        if (binaries.major() >= 17) {
            // The same order of text on every machine of the cluster, whatever its libraries.
            command.add("--locale-provider=builtin");
        }
        if (wanted.superuserPasswordFile() != null) {
            command.add("--pwfile=" + passwords);
        }
        return command;
    }

    private void singleUser(Path data, String database, List<String> statements) {
        // All of it is flushed at the end, at once.
        var _ = new SingleUser(binaries, user, data, Map.of("fsync", "off"))
                .run(database, statements, SQL_DEADLINE, "the new cluster in %s could not be set up".formatted(data));
    }

    private static String secret(Path file) {
        try {
            String text = Files.readString(file).strip();
            if (!SECRET_LINE.matcher(text).matches()) {
                throw new LocalFault("password file %s must hold one line that is not empty".formatted(file));
            }
            return text;
        } catch (IOException e) {
            throw new LocalFault(
                    "password file %s cannot be read: %s; put one line with the password there, or correct the setting"
                            .formatted(file, IoReason.of(e)),
                    e);
        }
    }

    private static String identifier(String name) {
        return '"' + name.replace("\"", "\"\"") + '"';
    }

    private static String literal(String text) {
        return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'";
    }
}
