package io.quantadb.node.chaos;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * {@code make chaos}: see {@link ChaosSettings} for what it is told. Prints a line every ten seconds, a table, and
 * one line with seed and counts at the end, writes {@code result-SEED.json}, and exits with 1 when a round was not good, with 2 when it was told nonsense. A
 * run that is stopped goes on with its next round when it is started again with the same seed, commit and settings.
 */
public final class ChaosMain {
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("HH:mm:ss", Locale.ROOT);

    private ChaosMain() {}

    public static void main(String[] args) throws Exception {
        ChaosSettings settings;
        try {
            settings = ChaosSettings.of(System.getenv(), System.currentTimeMillis());
            var _ = Strikes.named(settings.actions());
        } catch (IllegalArgumentException e) {
            System.err.println("chaos: " + e.getMessage());
            System.exit(2);
            return;
        }
        System.exit(run(settings) ? 0 : 1);
    }

    /** Whether all was good. */
    static boolean run(ChaosSettings settings) throws Exception {
        List<RoundResult> done = settings.fresh()
                ? List.of()
                : RoundResult.read(settings.results(), settings.seed(), settings.fingerprint(), settings.firstRound());
        if (settings.fresh()) {
            Files.deleteIfExists(RoundResult.file(settings.results(), settings.seed()));
        }
        say("chaos seed %d, %d minutes, %s".formatted(settings.seed(), settings.minutes(), settings.fingerprint()));
        if (!done.isEmpty()) {
            say("going on behind round %d of an earlier run (FRESH=yes begins anew)"
                    .formatted(done.getLast().round()));
        }
        List<RoundResult> rounds = new ArrayList<>(done);
        Trace trace = Trace.to(settings.results(), settings.seed());
        ChaosCluster cluster = ChaosCluster.form(settings, ChaosMain::say, trace);
        // Whoever stops this leaves no agents behind; the rounds so far are written down.
        Runtime.getRuntime().addShutdownHook(new Thread(() -> cluster.close(true), "chaos-end"));
        Map<String, String> notRun;
        boolean good = false;
        try (trace) {
            ChaosRun run = new ChaosRun(settings, cluster, ChaosMain::say, trace);
            notRun = run.notRun();
            notRun.forEach((name, why) -> say("NOT RUN %s: %s".formatted(name, why)));
            rounds = run.run(done);
            good = rounds.stream().allMatch(RoundResult::good);
        } finally {
            saveLogs(settings, cluster, good);
            cluster.close(good);
        }
        ChaosResult result = new ChaosResult(settings, notRun, rounds);
        say("result: " + result.write());
        System.out.print(result.table());
        Files.writeString(
                settings.results().resolve("summary-%d.txt".formatted(settings.seed())), result.summary() + "\n");
        System.out.println(result.summary());
        return result.good();
    }

    /** Of a good run too: how long its gaps were, and why, is read there. */
    private static void saveLogs(ChaosSettings settings, ChaosCluster cluster, boolean good) throws IOException {
        Path logs = Files.createDirectories(settings.results().resolve("logs-" + settings.seed()));
        for (int i = 0; i < cluster.size(); i++) {
            Path log = cluster.node(i).log();
            if (Files.exists(log)) {
                Files.copy(log, logs.resolve(LinkPlan.id(i) + ".log"), StandardCopyOption.REPLACE_EXISTING);
            }
        }
        say("the agents' logs are in %s, what was done and when in %s%s"
                .formatted(
                        logs,
                        Trace.file(settings.results(), settings.seed()),
                        settings.keep().keeps(good) ? ", the nodes' folders in " + cluster.folder() : ""));
    }

    static void say(String line) {
        System.out.printf("%s %s%n", LocalTime.now(ZoneOffset.UTC).format(TIME), line);
    }
}
