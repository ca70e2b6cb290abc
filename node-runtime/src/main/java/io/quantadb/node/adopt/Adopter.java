package io.quantadb.node.adopt;

import io.quantadb.node.adopt.Disk.Access;
import io.quantadb.node.config.NodeConfig;
import io.quantadb.node.postgres.ConfFile;
import io.quantadb.node.postgres.PostgresBinaries;
import io.quantadb.node.postgres.ServerConfig;
import io.quantadb.node.postgres.ServerUser;
import io.quantadb.node.postgres.SharedCatalogs;
import io.quantadb.node.postgres.SingleUser;
import io.quantadb.node.raftlog.DirectoryLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Makes an existing data directory that of a node, which founds a cluster when it starts for the first time, and takes it
 * back. Nothing of the user's data is rewritten: a role is added, one function is taken from PUBLIC, two files of
 * configuration may be replaced, and the node's folder gets a link. Each step is remembered before it is taken
 * ({@link Adoption}): what was interrupted is done by asking again, or taken back.
 *
 * <p>Blocks for as long as PostgreSQL needs to replay what a crash left. One at a time for a folder, by its lock.
 */
public final class Adopter {
    static final Duration RECOVERY = Duration.ofHours(24);
    static final Duration SQL = Duration.ofMinutes(10);
    /** To be taken from PUBLIC, or anybody could cancel another's wait for acknowledgement. */
    static final String CANCEL = "FUNCTION pg_catalog.pg_cancel_backend(integer)";

    private static final List<String> CONFIGURATION =
            List.of("postgresql.conf", "postgresql.auto.conf", "postmaster.opts");

    private final NodeConfig config;
    private final Consumer<String> say;

    /** @param say gets one line at a time for people */
    public Adopter(NodeConfig config, Consumer<String> say) {
        this.config = config;
        this.say = say;
    }

    /** @param done false when a finding stands in the way, and nothing was changed */
    public record Outcome(List<Finding> findings, boolean done) {}

    /** Looks and changes nothing. {@link Refused} when there is no data directory. */
    public List<Finding> check(Path dataDirectory) {
        return Judge.findings(look(dataDirectory));
    }

    private Look look(Path dataDirectory) {
        try {
            return new Looker(config).at(dataDirectory);
        } catch (Looker.NotThere e) {
            throw new Refused(
                    String.valueOf(e.getMessage()), "name the folder that holds PG_VERSION, as a user who may read it");
        }
    }

    private static boolean inTheWay(List<Finding> findings) {
        return findings.stream().anyMatch(finding -> finding.level() == Finding.Level.STOP);
    }

    /** Adopts it, unless something stands in the way. */
    public Outcome adopt(Path dataDirectory) {
        Look look = look(dataDirectory);
        List<Finding> findings = Judge.findings(look);
        if (inTheWay(findings)) {
            return new Outcome(findings, false);
        }
        ServerUser user = Objects.requireNonNull(look.user());
        try (DirectoryLock _ = DirectoryLock.acquire(user.passableDirectory(config.dataDir()))) {
            Adoption adoption = begin(look);
            replay(look, user);
            // After a crash only now everything is in the catalogs' files.
            Look whole = look(dataDirectory);
            List<Finding> again = Judge.findings(whole);
            if (inTheWay(again)) {
                forget();
                return new Outcome(again, false);
            }
            adoption = roles(whole, user, adoption);
            adoption = configuration(whole, user, adoption);
            if (!Files.exists(config.postgresDataDir())) {
                Disk.link(config.postgresDataDir(), whole.real());
                user.own(config.postgresDataDir());
            }
            Disk.deleteTree(privateFolder());
            adoption.in(Adoption.State.ADOPTED).write(config.dataDir());
            return new Outcome(again, true);
        }
    }

    /** Everything that is going to be changed is saved before it is. */
    private Adoption begin(Look look) {
        Optional<Adoption> before = Adoption.read(config.dataDir());
        if (before.isPresent()) {
            say.accept("going on with what was begun");
            return before.get();
        }
        Path folder = Adoption.folder(config.dataDir());
        Disk.privateFolder(folder);
        List<SavedFile> saved = CONFIGURATION.stream()
                .map(name -> SavedFile.save(look.real().resolve(name), folder))
                .toList();
        Adoption begun = new Adoption(
                Adoption.State.BEGUN,
                look.real(),
                look.major(),
                Objects.requireNonNull(look.control()).systemIdentifier(),
                look.configFile(),
                false,
                List.of(),
                saved);
        begun.write(config.dataDir());
        say.accept("saved its configuration in %s".formatted(folder));
        return begun;
    }

    private void forget() {
        Disk.deleteTree(privateFolder());
        Disk.deleteTree(Adoption.folder(config.dataDir()));
    }

    private Path privateFolder() {
        return config.dataDir().resolve("postgres-conf");
    }

    private void replay(Look look, ServerUser user) {
        if (!Objects.requireNonNull(look.control()).cleanlyShutDown()) {
            say.accept("replaying the WAL that was left");
        }
        var _ = offline(look, user)
                .run("template1", List.of("SELECT 1"), RECOVERY, "%s cannot be recovered".formatted(look.real()));
    }

    /** By its own settings: its WAL may need them. */
    private SingleUser offline(Look look, ServerUser user) {
        ConfFile file = Objects.requireNonNull(look.config());
        Map<String, String> settings = new LinkedHashMap<>(SettingsPlan.kept(file));
        for (String name : List.of("wal_level", "max_replication_slots", "max_wal_senders")) {
            ConfFile.Setting own = file.effective().get(name);
            if (own != null) {
                settings.put(name, own.value());
            }
        }
        Path written = user.privateDirectory(privateFolder()).resolve("adopt.conf");
        Disk.write(
                written,
                ConfFile.render("For an adoption.", settings).getBytes(StandardCharsets.UTF_8),
                new Access((int) user.uid(), (int) user.gid(), "rw-------"));
        PostgresBinaries binaries = Objects.requireNonNull(look.binaries());
        return new SingleUser(
                binaries,
                user,
                look.real(),
                Map.of("config_file", written.toString(), "synchronous_standby_names", "", "archive_mode", "off"));
    }

    private Adoption roles(Look look, ServerUser user, Adoption begun) {
        SingleUser offline = offline(look, user);
        SharedCatalogs catalogs = Objects.requireNonNull(look.catalogs());
        Adoption adoption = begun;
        if (!adoption.roleMade()) {
            List<String> open = new ArrayList<>();
            for (SharedCatalogs.Database database : catalogs.databases()) {
                if (database.takesConnections() && everybodyMayCancel(offline, database.name())) {
                    open.add(database.name());
                }
            }
            adoption = adoption.withRole(open);
            adoption.write(config.dataDir());
        }
        for (String database : adoption.revoked()) {
            var _ = offline.run(
                    database,
                    List.of("REVOKE EXECUTE ON " + CANCEL + " FROM PUBLIC"),
                    SQL,
                    "database %s cannot be set up".formatted(database));
        }
        if (catalogs.roles().stream().noneMatch(role -> role.name().equals(ServerConfig.AGENT_ROLE))) {
            var _ = offline.run(
                    "postgres",
                    List.of("CREATE ROLE %s SUPERUSER REPLICATION LOGIN".formatted(ServerConfig.AGENT_ROLE)),
                    SQL,
                    "the agent's role cannot be made");
        }
        say.accept(
                "made role %s; only superusers cancel the statements of others now".formatted(ServerConfig.AGENT_ROLE));
        return adoption;
    }

    private static boolean everybodyMayCancel(SingleUser offline, String database) {
        return offline.run(
                        database,
                        List.of("SELECT has_function_privilege('public', 'pg_catalog.pg_cancel_backend(integer)',"
                                + " 'EXECUTE') AS everybody"),
                        SQL,
                        "database %s cannot be asked".formatted(database))
                .contains("everybody = \"t\"");
    }

    private Adoption configuration(Look look, ServerUser user, Adoption begun) {
        ConfFile file = Objects.requireNonNull(look.config());
        Path own = look.real().resolve("postgresql.conf");
        Map<Path, byte[]> texts = new LinkedHashMap<>();
        boolean elsewhere = !look.configFile().equals(own);
        if (elsewhere || file.files().size() > 1 || SettingsPlan.dropsAny(file)) {
            String heading = """
                    The settings of this server when a cluster adopted it, but for those that the cluster owns.
                    What was here, or was read instead, is in %s of the node that was first.
                    This file goes with every copy of the data; postgres.parameters of a node win over it.
                    """.formatted(Adoption.folder(config.dataDir()));
            texts.put(own, bytes(ConfFile.render(heading, SettingsPlan.kept(file))));
        }
        if (SettingsPlan.dropsAny(look.auto())) {
            String heading = "Do not edit this file manually!\nIt will be overwritten by the ALTER SYSTEM command.";
            texts.put(
                    look.real().resolve("postgresql.auto.conf"),
                    bytes(ConfFile.render(heading, SettingsPlan.kept(look.auto()))));
        }
        Access access = new Access((int) user.uid(), (int) user.gid(), "rw-------");
        Adoption adoption = begun.withSaved(begun.saved().stream()
                .map(saved -> {
                    byte[] text = texts.get(saved.path());
                    return text == null ? saved : saved.replacedBy(text);
                })
                .toList());
        adoption.write(config.dataDir());
        texts.forEach((path, text) -> {
            Disk.write(path, text, access);
            say.accept("wrote %s anew".formatted(path));
        });
        return adoption;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /**
     * Takes the directory back: configuration as it was, our role, slots and files gone, the node's folder removed.
     *
     * @param anyway a standby's data too, which may lack what the primary had
     * @throws Refused when there is nothing to take back, or it must not be
     */
    public void undo(boolean anyway) {
        new Return(config, say).run(anyway);
    }
}
