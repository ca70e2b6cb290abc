package io.quantadb.node.chaos;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a run of chaos is told, by environment variables.
 *
 * @param minutes {@code MINUTES}: how long, set-up and closing audits of the rounds included (2)
 * @param seed {@code SEED}: decides every schedule; the current time when it is not given
 * @param firstRound {@code ROUND}: with which of the seed's rounds a run begins that goes on with none (0)
 * @param roundSeconds {@code ROUND_SECONDS}: how long strikes fall before everything is healed and audited (40)
 * @param gapMs {@code GAP_MS}: from one strike to the next on average (1500)
 * @param writers {@code WRITERS}: how many write, each over four connections (2)
 * @param everyMs {@code EVERY_MS}: how often each tries an insert (20)
 * @param actions {@code ACTIONS}: names of strikes with commas between; all when not given
 * @param mode {@code MODE}: the cluster's commit mode (quorum)
 * @param folder {@code CHAOS_DIR}: where the cluster lies; what an earlier run left there is removed
 * @param net {@code CHAOS_NET}: the second number of its loopback addresses (77)
 * @param firstPort {@code CHAOS_PORT}: SQL port of the first node (21432)
 * @param results {@code RESULTS}: folder of the result files ({@code target/chaos})
 * @param keep {@code KEEP}: whether the folder stays: {@code yes}, {@code no}, or (when not given) only after a run that
 *     was not good
 * @param fresh {@code FRESH=yes}: begins anew although rounds of this seed, commit and settings are there
 * @param broken {@code BROKEN}: runs a test build with that bug put back, see BrokenNode
 */
record ChaosSettings(
        int minutes,
        long seed,
        int firstRound,
        int roundSeconds,
        int gapMs,
        int writers,
        int everyMs,
        List<String> actions,
        String mode,
        Path folder,
        int net,
        int firstPort,
        Path results,
        Keep keep,
        boolean fresh,
        String broken,
        Map<String, String> environment) {
    private static final int NODES = 3;

    /** When the nodes' folders stay. */
    enum Keep {
        YES,
        NO,
        FAILED;

        static Keep of(String text) {
            return switch (text) {
                case "yes" -> YES;
                case "no" -> NO;
                case "" -> FAILED;
                default -> throw new IllegalArgumentException("KEEP=%s is neither yes nor no".formatted(text));
            };
        }

        boolean keeps(boolean good) {
            return this == YES || (this == FAILED && !good);
        }
    }

    static ChaosSettings of(Map<String, String> env, long now) {
        Map<String, String> given = new HashMap<>(env);
        // `make chaos SEED=` sets it to nothing, which is as if it were not set.
        given.values().removeIf(String::isBlank);
        String usual = System.getProperty("user.name").equals("root")
                ? "/var/lib/quantadb/chaos"
                : System.getProperty("user.home") + "/.local/state/quantadb/chaos";
        return new ChaosSettings(
                number(given, "MINUTES", 2),
                seed(given.getOrDefault("SEED", Long.toString(now))),
                number(given, "ROUND", 0, 0),
                number(given, "ROUND_SECONDS", 40),
                number(given, "GAP_MS", 1500),
                number(given, "WRITERS", 2),
                number(given, "EVERY_MS", 20),
                Arrays.stream(given.getOrDefault("ACTIONS", "").split(","))
                        .map(String::strip)
                        .filter(name -> !name.isEmpty())
                        .toList(),
                given.getOrDefault("MODE", "quorum"),
                Path.of(given.getOrDefault("CHAOS_DIR", usual)).toAbsolutePath(),
                number(given, "CHAOS_NET", 77),
                number(given, "CHAOS_PORT", 21432),
                Path.of(given.getOrDefault("RESULTS", "target/chaos")),
                Keep.of(given.getOrDefault("KEEP", "")),
                given.getOrDefault("FRESH", "no").equals("yes"),
                given.getOrDefault("BROKEN", ""),
                withLauncher(given));
    }

    private static long seed(String text) {
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("SEED=%s is not a whole number".formatted(text), e);
        }
    }

    private static int number(Map<String, String> env, String name, int usual) {
        return number(env, name, usual, 1);
    }

    private static int number(Map<String, String> env, String name, int usual, int least) {
        String text = env.getOrDefault(name, Integer.toString(usual));
        try {
            int value = Integer.parseInt(text);
            if (value < least) {
                throw new IllegalArgumentException("%s=%s must be at least %d".formatted(name, text, least));
            }
            return value;
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("%s=%s is not a whole number".formatted(name, text), e);
        }
    }

    /** The shipped program, as users start it, when it is built. */
    private static Map<String, String> withLauncher(Map<String, String> env) {
        Map<String, String> out = new HashMap<>(env);
        Path script = Path.of("bin", "quantadb").toAbsolutePath();
        if (Files.isExecutable(script)) {
            out.putIfAbsent("QUANTADB_LAUNCHER", script.toString());
        }
        return out;
    }

    LinkPlan plan() {
        return new LinkPlan(net, NODES, firstPort);
    }

    String commit() {
        return environment.getOrDefault("QUANTADB_COMMIT", "uncommitted");
    }

    /** What starts an agent; empty for the program itself. */
    List<String> agentCommand() {
        if (broken.isEmpty()) {
            return List.of();
        }
        return List.of(
                "env",
                "BROKEN=" + broken,
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                absolute(System.getProperty("java.class.path")),
                "io.quantadb.node.bench.BrokenNode");
    }

    private static String absolute(String classPath) {
        return String.join(
                java.io.File.pathSeparator,
                Arrays.stream(classPath.split(java.io.File.pathSeparator))
                        .map(entry -> Path.of(entry).toAbsolutePath().toString())
                        .toList());
    }

    /** Settings of every node: little WAL is kept, so that a small disk does, and a long absence ends in a clone. */
    Map<String, String> nodeSettings() {
        Map<String, String> out = new LinkedHashMap<>();
        out.put("cluster.replication.commit_mode", mode);
        out.put("postgres.parameters.max_wal_size", "128MB");
        out.put("postgres.parameters.min_wal_size", "32MB");
        out.put("postgres.parameters.wal_keep_size", "64MB");
        out.put("postgres.parameters.shared_buffers", "32MB");
        return out;
    }

    /** Everything that must be equal for two rounds to belong together. */
    String fingerprint() {
        return "mode=%s round=%ds gap=%dms writers=%d every=%dms actions=%s broken=%s commit=%s"
                .formatted(
                        mode,
                        roundSeconds,
                        gapMs,
                        writers,
                        everyMs,
                        actions.isEmpty() ? "all" : String.join("+", actions),
                        broken.isEmpty() ? "no" : broken,
                        commit());
    }
}
