package io.quantadb.node.adopt;

import io.quantadb.node.common.NodeException;
import io.quantadb.node.config.NodeConfig;
import io.quantadb.node.postgres.BinaryFinder;
import io.quantadb.node.postgres.ConfFile;
import io.quantadb.node.postgres.DataDirectory;
import io.quantadb.node.postgres.PostgresBinaries;
import io.quantadb.node.postgres.ServerUser;
import io.quantadb.node.postgres.SharedCatalogs;
import io.quantadb.node.wal.ControlFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Takes a {@link Look} at a data directory. Reads, and changes nothing in it; one use each. */
final class Looker {
    private static final List<String> SIGNALS = List.of("standby.signal", "recovery.signal", "backup_label");
    private static final Pattern CONFIG_OPTION = Pattern.compile("\"config_file=([^\"]+)\"");
    private static final Pattern HISTORY = Pattern.compile("([0-9A-F]{8})\\.history");
    /** In a slot's state file: behind 16 bytes of header its name, then its database, 0 for a physical one. */
    private static final int SLOT_DATABASE = 80;

    private final NodeConfig config;
    private final Map<String, String> troubles = new LinkedHashMap<>();

    Looker(NodeConfig config) {
        this.config = config;
    }

    /** {@link NotThere} when there is no data directory at all. */
    Look at(Path given) {
        Path real;
        try {
            real = given.toRealPath();
        } catch (IOException e) {
            throw new NotThere("%s is not there, or cannot be entered by user %s"
                    .formatted(given, System.getProperty("user.name", "?")));
        }
        if (!Files.exists(real.resolve("PG_VERSION"))) {
            throw new NotThere("%s is no data directory of PostgreSQL: it has no PG_VERSION, or user %s cannot see it"
                    .formatted(real, System.getProperty("user.name", "?")));
        }
        try {
            return look(real);
        } catch (IOException e) {
            throw new NotThere("%s cannot be read: %s".formatted(real, e));
        } catch (UncheckedIOException e) {
            throw new NotThere("%s cannot be read: %s".formatted(real, e.getCause()));
        }
    }

    /** What was named cannot be looked at. */
    static final class NotThere extends RuntimeException {
        NotThere(String words) {
            super(words);
        }
    }

    private Look look(Path real) throws IOException {
        String owner = Files.getOwner(real).getName();
        boolean root = "root".equals(System.getProperty("user.name"));
        String configured = config.postgres().osUser();
        ServerUser user = tried(
                "user",
                () -> ServerUser.resolve(configured != null ? configured : root ? ownerOrDefault(owner) : null));
        int major = major(real);
        PostgresBinaries binaries = user == null
                ? null
                : tried(
                        "programs",
                        () -> BinaryFinder.usual(user)
                                .find(new BinaryFinder.Wanted(config.postgres().binDir(), null, major), user));
        if (user != null) {
            new DataDirectory(real, user)
                    .obstacle()
                    .ifPresent(at -> troubles.put(
                            "way", "user %s, as whom PostgreSQL runs, cannot enter %s".formatted(user.name(), at)));
        }
        Optional<Adoption> before = Adoption.read(config.dataDir());
        Path configFile = before.map(Adoption::configFile).orElseGet(() -> configFile(real));
        ConfFile conf = tried("settings", () -> ConfFile.readIfExists(configFile));
        ConfFile auto = tried("settings", () -> ConfFile.readIfExists(real.resolve("postgresql.auto.conf")));
        return new Look(
                real,
                major,
                owner,
                PosixFilePermissions.toString(Files.getPosixFilePermissions(real)),
                strangers(real),
                tried("control file", () -> ControlFile.read(real)),
                user,
                binaries,
                DataDirectory.processes(real),
                SIGNALS.stream().filter(s -> Files.exists(real.resolve(s))).toList(),
                tablespaces(real),
                Files.isSymbolicLink(real.resolve("pg_wal"))
                        ? real.resolve("pg_wal").toRealPath()
                        : null,
                slots(real),
                names(real.resolve("pg_twophase")).size(),
                newestHistory(real),
                configFile,
                auto == null ? null : conf,
                auto == null ? new ConfFile(List.of(), List.of()) : auto,
                hbaRules(real, conf),
                tried("catalogs", () -> SharedCatalogs.read(real)),
                Files.getFileStore(real).getUsableSpace(),
                place(real, before.orElse(null), root),
                troubles);
    }

    /** Nobody is made for a look: where the owner is root, that is the trouble that is told. */
    private static @Nullable String ownerOrDefault(String owner) {
        return owner.isEmpty() ? null : owner;
    }

    private <T> @Nullable T tried(String subject, Supplier<T> look) {
        try {
            return look.get();
        } catch (NodeException e) {
            troubles.put(subject, String.valueOf(e.getMessage()));
            return null;
        }
    }

    private Look.Place place(Path real, @Nullable Adoption before, boolean root) throws IOException {
        Path link = config.postgresDataDir();
        boolean there = Files.exists(link, LinkOption.NOFOLLOW_LINKS);
        boolean same = there && Files.exists(link) && link.toRealPath().equals(real);
        return new Look.Place(
                config.dataDir(),
                link,
                there && !same,
                config.dataDir().startsWith(real) && !same,
                Files.exists(config.cluster().dataDir().resolve("node.facts")),
                before,
                config.postgres().osUser(),
                config.postgres().parameters(),
                config.postgres().hba(),
                root);
    }

    private static int major(Path real) throws IOException {
        try {
            return Integer.parseInt(Files.readString(real.resolve("PG_VERSION")).strip());
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    /** Where the server that ran last had its settings; a package of a distribution keeps them elsewhere. */
    private static Path configFile(Path real) {
        Path usual = real.resolve("postgresql.conf");
        try {
            Matcher option = CONFIG_OPTION.matcher(Files.readString(real.resolve("postmaster.opts")));
            return option.find() ? Path.of(option.group(1)) : usual;
        } catch (IOException e) {
            return usual;
        }
    }

    /** Entries of the directory that are not its owner's; deeper ones show when the server runs. */
    private static List<Path> strangers(Path real) throws IOException {
        Object owner = Objects.requireNonNull(Files.getAttribute(real, "unix:uid"));
        List<Path> out = new ArrayList<>();
        for (Path entry : names(real)) {
            if (!owner.equals(Files.getAttribute(entry, "unix:uid", LinkOption.NOFOLLOW_LINKS))) {
                out.add(entry);
            }
        }
        return out;
    }

    private static List<String> tablespaces(Path real) throws IOException {
        List<String> out = new ArrayList<>();
        for (Path entry : names(real.resolve("pg_tblspc"))) {
            out.add(Files.isSymbolicLink(entry) ? Files.readSymbolicLink(entry).toString() : entry.toString());
        }
        return out;
    }

    private static List<Look.Slot> slots(Path real) throws IOException {
        List<Look.Slot> out = new ArrayList<>();
        for (Path entry : names(real.resolve("pg_replslot"))) {
            Path state = entry.resolve("state");
            if (Files.exists(state)) {
                ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(state)).order(ByteOrder.LITTLE_ENDIAN);
                boolean logical = bytes.limit() >= SLOT_DATABASE + 4 && bytes.getInt(SLOT_DATABASE) != 0;
                out.add(new Look.Slot(entry.getFileName().toString(), logical));
            }
        }
        return out;
    }

    private static int newestHistory(Path real) throws IOException {
        int newest = 0;
        for (Path file : names(real.resolve("pg_wal"))) {
            Matcher name = HISTORY.matcher(file.getFileName().toString());
            if (name.matches()) {
                newest = Math.max(newest, (int) Long.parseLong(name.group(1), 16));
            }
        }
        return newest;
    }

    private static int hbaRules(Path real, @Nullable ConfFile conf) throws IOException {
        ConfFile.Setting setting = conf == null ? null : conf.effective().get("hba_file");
        Path file = setting == null ? real.resolve("pg_hba.conf") : real.resolve(setting.value());
        if (!Files.isReadable(file)) {
            return 0;
        }
        try (Stream<String> lines = Files.lines(file, StandardCharsets.ISO_8859_1)) {
            return (int) lines.map(String::strip)
                    .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                    .count();
        }
    }

    private static List<Path> names(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> all = Files.list(folder)) {
            return all.sorted().toList();
        }
    }
}
