package io.quantadb.node.adopt;

import io.quantadb.node.common.NodeException;
import io.quantadb.node.config.NodeConfig;
import io.quantadb.node.postgres.BinaryFinder;
import io.quantadb.node.postgres.ClusterTraces;
import io.quantadb.node.postgres.DataDirectory;
import io.quantadb.node.postgres.PostgresBinaries;
import io.quantadb.node.postgres.ServerConfig;
import io.quantadb.node.postgres.ServerUser;
import io.quantadb.node.postgres.SharedCatalogs;
import io.quantadb.node.postgres.SingleUser;
import io.quantadb.node.raftlog.DirectoryLock;
import io.quantadb.node.wal.ControlFile;
import io.quantadb.node.wal.WalReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * The way back from an adoption, at any point of it and after the cluster has run. Begun, it is remembered, and asked again it
 * goes on: every step may be taken twice. What the cluster did to the data stays: they are the user's.
 */
final class Return {
    private final NodeConfig config;
    private final Consumer<String> say;

    Return(NodeConfig config, Consumer<String> say) {
        this.config = config;
        this.say = say;
    }

    void run(boolean anyway) {
        Path folder = config.dataDir();
        Adoption adoption = Adoption.read(folder)
                .orElseThrow(() -> new Refused(
                        "nothing was adopted in %s".formatted(folder),
                        "name the node's folder with --data, or its --config"));
        Path data = adoption.dataDirectory();
        try (DirectoryLock _ = DirectoryLock.acquire(folder)) {
            ServerUser user = user(data);
            PostgresBinaries binaries = BinaryFinder.usual(user)
                    .find(new BinaryFinder.Wanted(config.postgres().binDir(), null, adoption.major()), user);
            require(adoption, new DataDirectory(config.postgresDataDir(), user), anyway);
            adoption.in(Adoption.State.RETURNING).write(folder);
            ClusterTraces.remove(data, user);
            restore(adoption);
            takeBackRights(adoption, binaries, user);
            removeNode();
        }
        removeFolders();
        say.accept("%s is a plain PostgreSQL directory again: start it as you used to".formatted(data));
    }

    private ServerUser user(Path data) {
        String configured = config.postgres().osUser();
        try {
            boolean root = "root".equals(System.getProperty("user.name"));
            return ServerUser.resolve(
                    configured != null
                            ? configured
                            : root ? Files.getOwner(data).getName() : null);
        } catch (IOException e) {
            throw new Refused("%s cannot be examined: %s".formatted(data, e), "put it where it was");
        }
    }

    /** @param directory the same as the node knows it, with what it noted beside it of copies and rewinds */
    private static void require(Adoption adoption, DataDirectory directory, boolean anyway) {
        Path data = adoption.dataDirectory();
        List<Long> running = DataDirectory.processes(data);
        if (!running.isEmpty()) {
            throw new Refused(
                    "a server runs on %s, process %d".formatted(data, running.getFirst()), "stop its node first");
        }
        if (directory.isUnfinished() || !Files.exists(data.resolve("PG_VERSION"))) {
            throw new Refused(
                    "%s holds a copy of another node's data that is not whole, or data that were given up"
                            .formatted(data),
                    "start the node and let it catch up, or restore the directory yourself");
        }
        ControlFile control = ControlFile.read(data);
        if (control.systemIdentifier() != adoption.systemIdentifier()) {
            throw new Refused(
                    "%s holds another cluster's data than it did".formatted(data),
                    "put back the directory that was adopted");
        }
        boolean standby = Files.exists(data.resolve("standby.signal"))
                || control.state() == ControlFile.State.IN_ARCHIVE_RECOVERY
                || control.state() == ControlFile.State.SHUTDOWNED_IN_RECOVERY;
        // Once begun, the signal is gone and the rest goes the same way.
        if (!standby || adoption.state() == Adoption.State.RETURNING) {
            return;
        }
        if (!anyway) {
            throw new Refused(
                    "this node was a standby when it stopped: another one's data may be newer",
                    "move the primary here first (quantadb switchover --to), then take the others out and stop them;"
                            + " --anyway goes on with what is here");
        }
        int end = WalReader.findEnd(data).timeline();
        if (end != control.checkpointTimeline()) {
            throw new Refused(
                    "its last WAL is of timeline %d and its last checkpoint of %d: a plain start would not replay all of it"
                            .formatted(end, control.checkpointTimeline()),
                    "start the node, let it catch up, and stop it in order");
        }
    }

    /** What somebody has changed meanwhile is put beside. */
    private void restore(Adoption adoption) {
        Path folder = Adoption.folder(config.dataDir());
        for (SavedFile saved : adoption.saved()) {
            if (saved.changedSince(folder)) {
                Disk.privateFolder(replaced());
                var _ = SavedFile.save(saved.path(), replaced());
                say.accept("%s was changed since: that version is in %s".formatted(saved.path(), replaced()));
            }
            saved.restore(folder);
        }
        say.accept("put its configuration back");
    }

    private Path replaced() {
        return Adoption.folder(config.dataDir()).resolve("replaced");
    }

    private void takeBackRights(Adoption adoption, PostgresBinaries binaries, ServerUser user) {
        Path data = adoption.dataDirectory();
        Map<String, String> settings =
                new LinkedHashMap<>(Map.of("synchronous_standby_names", "", "archive_mode", "off"));
        if (Files.exists(adoption.configFile())) {
            settings.put("config_file", adoption.configFile().toString());
        }
        SingleUser offline = new SingleUser(binaries, user, data, settings);
        var _ = offline.run(
                "template1", List.of("SELECT 1"), Adopter.RECOVERY, "%s cannot be recovered".formatted(data));
        if (!adoption.roleMade()) {
            return;
        }
        SharedCatalogs catalogs = SharedCatalogs.read(data);
        List<String> there =
                catalogs.databases().stream().map(SharedCatalogs.Database::name).toList();
        for (String database : adoption.revoked()) {
            if (there.contains(database)) {
                var _ = offline.run(
                        database,
                        List.of("GRANT EXECUTE ON " + Adopter.CANCEL + " TO PUBLIC"),
                        Adopter.SQL,
                        "database %s cannot be set back".formatted(database));
            }
        }
        if (catalogs.roles().stream().anyMatch(role -> role.name().equals(ServerConfig.AGENT_ROLE))) {
            dropRole(offline);
        }
    }

    private void dropRole(SingleUser offline) {
        try {
            var _ = offline.run(
                    "postgres", List.of("DROP ROLE " + ServerConfig.AGENT_ROLE), Adopter.SQL, "role quantadb stays");
            say.accept("dropped role " + ServerConfig.AGENT_ROLE);
        } catch (NodeException.LocalFault e) {
            // It owns what somebody made as it; that is the user's to decide about.
            say.accept(String.valueOf(e.getMessage()));
        }
    }

    /** The agent's files, but for what remembers the adoption. */
    private void removeNode() {
        Path folder = config.dataDir();
        Path meta = config.cluster().dataDir();
        Disk.deleteTree(meta.resolve("raft"));
        for (String name : List.of("node.facts", "founding", "founding.new", "lock")) {
            Disk.delete(meta.resolve(name));
        }
        Disk.deleteTree(folder.resolve("postgres-conf"));
        if (config.runDir().startsWith(folder)) {
            Disk.deleteTree(config.runDir());
        }
        if (Files.isSymbolicLink(config.postgresDataDir())) {
            Disk.delete(config.postgresDataDir());
        }
        Adoption.forget(folder);
    }

    private void removeFolders() {
        Path folder = config.dataDir();
        Path adopted = Adoption.folder(folder);
        if (Files.exists(replaced())) {
            entries(adopted).stream().filter(Files::isRegularFile).forEach(Disk::delete);
        } else {
            Disk.deleteTree(adopted);
        }
        Disk.delete(folder.resolve(DirectoryLock.FILE));
        // What the running agent writes to see whether the disk answers.
        Disk.delete(folder.resolve("disk.check"));
        if (Files.isDirectory(config.cluster().dataDir())) {
            var _ = Disk.deleteIfEmpty(config.cluster().dataDir());
        }
        if (!Disk.deleteIfEmpty(folder)) {
            say.accept("%s still holds %s"
                    .formatted(
                            folder,
                            String.join(
                                    ", ",
                                    entries(folder).stream()
                                            .map(path -> path.getFileName().toString())
                                            .toList())));
        }
    }

    private static List<Path> entries(Path folder) {
        try (Stream<Path> all = Files.list(folder)) {
            return new ArrayList<>(all.sorted().toList());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
