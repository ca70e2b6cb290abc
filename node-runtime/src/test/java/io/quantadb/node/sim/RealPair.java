package io.quantadb.node.sim;

import static org.awaitility.Awaitility.await;

import io.quantadb.node.cluster.EpochHistory;
import io.quantadb.node.cluster.EpochRecord;
import io.quantadb.node.cluster.Position;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.pgwire.CopyBoth;
import io.quantadb.node.pgwire.PgConnection;
import io.quantadb.node.pgwire.PgError;
import io.quantadb.node.pgwire.QueryResult;
import io.quantadb.node.pgwire.ReplicationMessage;
import io.quantadb.node.testing.PostgresVersion;
import io.quantadb.node.testing.TestingPostgres;
import io.quantadb.node.wal.FileOwner;
import io.quantadb.node.wal.TimelineHistory;
import io.quantadb.node.wal.WalEnd;
import io.quantadb.node.wal.WalReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.awaitility.core.ConditionFactory;

/**
 * Two PostgreSQL servers that stream to each other without any agent, and a voice that says what the schedule says. One
 * thread; what a client or the voice waits for runs on virtual threads of its own.
 */
final class RealPair implements ServerPair {
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final String VOICE = "quantadb_voice";

    /** A client's session in its one commit. */
    private record Client(PgConnection session, CompletableFuture<Fate> outcome) {
        Fate fate() {
            return outcome.getNow(Fate.WAITING);
        }
    }

    private final List<TestingPostgres> servers = new ArrayList<>();
    private final PgConnection[] admins = new PgConnection[2];
    private final boolean[] standby = new boolean[2];
    private final Map<String, Client> clients = new LinkedHashMap<>();
    private final Map<String, Lsn> ends = new TreeMap<>();
    private final List<EpochRecord> history = new ArrayList<>();
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private PgConnection voiceSession;
    private CopyBoth voice;
    private CompletableFuture<Void> reader;
    private int primary;

    RealPair(PostgresVersion version) {
        for (int i = 0; i < 2; i++) {
            servers.add(TestingPostgres.create(version)
                    .set("max_connections", "100")
                    .set("synchronous_commit", "on")
                    .set("synchronous_standby_names", "ANY 1 (" + VOICE + ")")
                    .set("wal_sender_timeout", "0")
                    .set("wal_retrieve_retry_interval", "20ms")
                    .set("autovacuum", "off")
                    .set("restart_after_crash", "off"));
        }
        history.add(new EpochRecord(1, new NodeId("n0"), 1, 0, Lsn.NONE, Lsn.NONE, true));
        CompletableFuture<Void> second = CompletableFuture.runAsync(() -> carryOut(new Step.StartStandby(1)), threads);
        carryOut(new Step.StartPrimary(0));
        second.join();
        sql(0, "SET synchronous_commit = local");
        sql(0, "CREATE TABLE t (label text PRIMARY KEY)");
        carryOut(new Step.Follow(1));
    }

    @Override
    public void carryOut(Step step) {
        switch (step) {
            case Step.Commit(String label) -> commit(label, "on");
            case Step.CommitUnwaited(String label) -> commit(label, "local");
            case Step.CancelWait() -> {
                Client newest = clients.values().stream()
                        .filter(c -> c.fate() == Fate.WAITING)
                        .reduce((older, newer) -> newer)
                        .orElseThrow();
                newest.session.cancel(LONG);
            }
            case Step.VoiceOpens() -> openVoice();
            case Step.VoiceReports(String label) -> say(ends.get(label));
            case Step.VoiceCloses() -> closeVoice();
            case Step.Stop(int server, boolean immediate) -> {
                closeVoiceOf(server);
                if (immediate) {
                    servers.get(server).signal("QUIT");
                    soon().until(() -> !servers.get(server).isRunning());
                } else {
                    admins[server].close();
                    servers.get(server).stop();
                }
            }
            case Step.Kill(int server) -> {
                servers.get(server).kill9();
                closeVoiceOf(server);
            }
            case Step.StartPrimary(int server) -> start(server, false);
            case Step.StartStandby(int server) -> start(server, true);
            case Step.Follow(int server) -> {
                conninfo(server, servers.get(1 - server).conninfo("n" + server));
            }
            case Step.StopFollowing(int server) -> {
                conninfo(server, "");
                soon().until(() -> sql(server, "SELECT count(*) FROM pg_stat_wal_receiver")
                        .single()
                        .equals("0"));
            }
            case Step.Promote(int server, int timeline) -> promote(server, timeline);
        }
    }

    private static ConditionFactory soon() {
        return await().atMost(LONG).pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(5));
    }

    private QueryResult sql(int server, String statement) {
        return admins[server].query(statement, LONG);
    }

    private void start(int server, boolean asStandby) {
        TestingPostgres postgres = servers.get(server);
        if (asStandby && !standby[server]) {
            write(postgres.dataDirectory().resolve("standby.signal"));
        }
        standby[server] = asStandby;
        postgres.start();
        admins[server] = postgres.connect();
        if (!asStandby) {
            primary = server;
        }
    }

    private void conninfo(int server, String value) {
        sql(server, "ALTER SYSTEM SET primary_conninfo = '%s'".formatted(value));
        sql(server, "SELECT pg_reload_conf()");
    }

    private static void write(Path file) {
        try {
            Files.createFile(file);
            FileOwner owner = TestingPostgres.owner();
            if (owner != null) {
                Files.setAttribute(file, "unix:uid", owner.uid());
                Files.setAttribute(file, "unix:gid", owner.gid());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void commit(String label, String synchronousCommit) {
        PgConnection session = servers.get(primary).connect(Map.of("synchronous_commit", synchronousCommit));
        boolean[] warned = {!synchronousCommit.equals("on")};
        session.onNotice(notice -> warned[0] |= "SyncRepWaitForLSN".equals(notice.routine()));
        Client client = new Client(
                session,
                CompletableFuture.supplyAsync(
                                () -> {
                                    session.query("INSERT INTO t VALUES ('%s')".formatted(label), LONG.multipliedBy(2));
                                    return warned[0] ? Fate.UNREPLICATED : Fate.ACKNOWLEDGED;
                                },
                                threads)
                        .exceptionally(e -> Fate.IN_DOUBT)
                        .whenComplete((fate, e) -> session.close()));
        clients.put(label, client);
        soon().until(() -> client.outcome.isDone() || waits(session));
        ends.put(
                label,
                Lsn.parse(sql(primary, "SELECT pg_current_wal_flush_lsn()").single()));
    }

    private boolean waits(PgConnection session) {
        return sql(
                        primary,
                        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND pid = "
                                + session.backendPid())
                .single()
                .equals("1");
    }

    // ---- the voice

    private void openVoice() {
        voiceSession = servers.get(primary).connect(Map.of("replication", "true", "application_name", VOICE));
        QueryResult system = voiceSession.query("IDENTIFY_SYSTEM", LONG);
        CopyBoth stream = voiceSession.copyBoth(
                "START_REPLICATION PHYSICAL %s TIMELINE %s"
                        .formatted(system.value(0, "xlogpos"), system.value(0, "timeline")),
                LONG);
        voice = stream;
        reader = CompletableFuture.runAsync(
                () -> {
                    while (stream.next(LONG.multipliedBy(3)) != null) {
                        // what is sent is of no interest: the schedule says what is reported
                    }
                },
                threads);
        awaitOne("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND application_name = '" + VOICE
                + "'");
    }

    private void awaitOne(String sql) {
        soon().until(() -> sql(primary, sql).single().equals("1"));
    }

    private void say(Lsn position) {
        voice.send(new ReplicationMessage.StandbyStatus(position, position, position, 0, false), LONG);
    }

    /** What no voice of ours does: a report of what the server itself has not written yet. */
    void reportBeyondTheEnd() {
        say(Lsn.parse(sql(primary, "SELECT pg_current_wal_flush_lsn()").single())
                .plus(1 << 20));
        awaitOne("SELECT count(*) FROM pg_stat_replication WHERE flush_lsn > pg_current_wal_lsn()");
    }

    private void closeVoiceOf(int server) {
        if (server == primary) {
            closeVoice();
        }
    }

    private void closeVoice() {
        if (voiceSession == null) {
            return;
        }
        voiceSession.close();
        voiceSession = null;
        soon().until(reader::isDone);
        if (servers.get(primary).isRunning()) {
            soon().until(() -> sql(
                            primary,
                            "SELECT count(*) FROM pg_stat_replication WHERE application_name = '" + VOICE + "'")
                    .single()
                    .equals("0"));
        }
    }

    // ---- promotion

    private void promote(int server, int timeline) {
        Path wal = servers.get(server).dataDirectory().resolve("pg_wal");
        for (int between = 2; between < timeline; between++) {
            Path file = wal.resolve(TimelineHistory.fileName(between));
            if (!Files.exists(file)) {
                write(file);
            }
        }
        sql(server, "SELECT pg_promote(true)");
        soon().until(() -> sql(server, "SELECT pg_is_in_recovery()").single().equals("f"));
        primary = server;
        standby[server] = false;
        // As in the model: when it is a standby again, it follows nobody before it is told whom.
        conninfo(server, "");
        TimelineHistory.Parent parent = TimelineHistory.read(servers.get(server).dataDirectory(), timeline)
                .parents()
                .getLast();
        history.add(new EpochRecord(
                history.size() + 1,
                new NodeId("n" + server),
                timeline,
                parent.timeline(),
                parent.switchPoint(),
                parent.switchPoint(),
                true));
    }

    // ---- seen

    @Override
    public Seen seen() {
        Map<String, Fate> fates = new TreeMap<>();
        clients.forEach((label, client) -> fates.put(label, client.fate()));
        return new Seen(fates, List.of(view(0), view(1)));
    }

    private View view(int server) {
        if (!servers.get(server).isRunning()) {
            boolean other = servers.get(1 - server).isRunning() && primary == 1 - server;
            return new View(Mode.DOWN, new TreeSet<>(), List.of(), false, other && !onBranch(server));
        }
        SortedSet<String> rows = rows(server);
        if (sql(server, "SELECT pg_is_in_recovery()").single().equals("t")) {
            return new View(Mode.STANDBY, rows, List.of(), streams(server), false);
        }
        List<Integer> lineage = new ArrayList<>();
        int timeline = timeline(server);
        TimelineHistory.read(servers.get(server).dataDirectory(), timeline)
                .parents()
                .forEach(parent -> lineage.add(parent.timeline()));
        lineage.add(timeline);
        return new View(Mode.PRIMARY, rows, lineage, false, false);
    }

    private SortedSet<String> rows(int server) {
        try {
            SortedSet<String> rows = new TreeSet<>();
            sql(server, "SELECT label FROM t").rows().forEach(row -> rows.add(row.getFirst()));
            return rows;
        } catch (PgError e) {
            // a standby that has not replayed the table yet
            return new TreeSet<>(List.of("no table"));
        }
    }

    private int timeline(int server) {
        return Integer.parseInt(
                sql(server, "SELECT pg_walfile_name(pg_current_wal_lsn())")
                        .single()
                        .substring(0, 8),
                16);
    }

    /** On the primary's timeline, with all of its WAL. */
    private boolean streams(int server) {
        int other = 1 - server;
        if (!servers.get(other).isRunning() || primary != other) {
            return false;
        }
        String receiver = sql(
                        server, "SELECT received_tli || '/' || pg_last_wal_receive_lsn() FROM pg_stat_wal_receiver")
                .singleOrNull();
        return (timeline(other) + "/"
                        + sql(other, "SELECT pg_current_wal_flush_lsn()").single())
                .equals(receiver);
    }

    private boolean onBranch(int server) {
        WalEnd end = WalReader.findEnd(servers.get(server).dataDirectory());
        if (!end.sure()) {
            throw new AssertionError("the WAL of server %d tells nothing: %s".formatted(server, end));
        }
        return EpochHistory.onBranch(history, timeline(1 - server), new Position(end.timeline(), end.end()));
    }

    @Override
    public void close() {
        if (voiceSession != null) {
            voiceSession.close();
        }
        servers.forEach(TestingPostgres::close);
        threads.shutdownNow();
    }
}
