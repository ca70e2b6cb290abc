package io.quantadb.node.runtime;

import io.quantadb.node.cluster.Member;
import io.quantadb.node.cluster.Position;
import io.quantadb.node.common.LogKeys;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeException;
import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.config.ReplicationConfig;
import io.quantadb.node.coordinator.EngineControl;
import io.quantadb.node.pgwire.PgConnection;
import io.quantadb.node.postgres.CommitProbe;
import io.quantadb.node.postgres.DataDirectory;
import io.quantadb.node.postgres.PostgresServer;
import io.quantadb.node.postgres.Promotion;
import io.quantadb.node.postgres.ServerConfig;
import io.quantadb.node.postgres.ServerUser;
import io.quantadb.node.postgres.StartMode;
import io.quantadb.node.postgres.StopMode;
import io.quantadb.node.relay.WalRelay;
import io.quantadb.node.transport.PeerStreams;
import io.quantadb.node.wal.BaseBackupClient;
import io.quantadb.node.wal.BaseBackupRequest;
import io.quantadb.node.wal.BegunTimelines;
import io.quantadb.node.wal.ControlFile;
import io.quantadb.node.wal.FileOwner;
import io.quantadb.node.wal.SpareSegment;
import io.quantadb.node.wal.StrayHistories;
import io.quantadb.node.wal.UnfinishedRecord;
import io.quantadb.node.wal.WalEnd;
import io.quantadb.node.wal.WalReader;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The local PostgreSQL as the coordinator asks for it: {@link PostgresServer}, its WAL on disk, and clones of peers. */
final class NodeEngine implements EngineControl {
    private static final Logger LOGGER = LoggerFactory.getLogger(NodeEngine.class);
    private static final Duration RECOVERY = Duration.ofHours(24);
    private static final Duration PROMOTION = Duration.ofSeconds(60);
    /** A fast stop is a primary's that gives way: beyond this it is killed, and whoever holds most takes over. */
    private static final Duration FAST_STOP = Duration.ofSeconds(3);

    private static final Duration IMMEDIATE_STOP = Duration.ofSeconds(5);
    private static final Duration PROBE = Duration.ofSeconds(5);
    private static final Duration CHECKPOINT = Duration.ofMinutes(30);
    private static final Duration LOG_IN = Duration.ofSeconds(10);
    private static final Duration LEAVING = Duration.ofSeconds(30);
    private static final int PENDING_MAX = 32;
    private static final long TELL_EVERY_BYTES = 256L << 20;
    /** A checkpoint that took longer has left pages behind that were written meanwhile. */
    private static final Duration QUICK_CHECKPOINT = Duration.ofMillis(50);

    private static final int CHECKPOINTS_MAX = 3;

    private final PostgresServer server;
    private final DataDirectory directory;
    private final ServerUser user;
    private final WalRelay relay;
    private final Rewinder rewinder;
    private final Duration snapshotTimeout;
    private final long rejoinRate;
    private final SpareSegment spare;
    private final SpareKeeper spares;
    private final ReentrantLock readTurn = new ReentrantLock();
    private volatile @Nullable WalEnd known;
    private volatile boolean standby;
    /** Engine thread only. */
    private @Nullable StartMode startedAs;

    private final CopyTurn turn = new CopyTurn();
    private volatile boolean leaving;
    private volatile @Nullable Cloning cloning;
    private volatile List<String> pendingRestart = List.of();

    /** How far the present clone has come, or the last one. */
    record Cloning(long doneBytes, long totalBytes) {}

    private volatile boolean rewinding;

    /** @param replication what a base backup is taken by: how fast, and how long it may make no progress */
    NodeEngine(
            PostgresServer server,
            NodePostgres postgres,
            WalRelay relay,
            Rewinder rewinder,
            ReplicationConfig replication) {
        this.snapshotTimeout = replication.snapshotTimeout();
        this.rejoinRate = replication.rejoinRate().bytes();
        this.server = server;
        this.directory = postgres.directory();
        this.user = postgres.user();
        this.relay = relay;
        this.rewinder = rewinder;
        this.spare = new SpareSegment(directory.path(), owner(user));
        this.spares = SpareKeeper.of(spare, server);
    }

    private static @Nullable FileOwner owner(ServerUser user) {
        return user.switched() ? new FileOwner((int) user.uid(), (int) user.gid()) : null;
    }

    /** Whether its data is being rewound now. Any thread. */
    boolean rewinding() {
        return rewinding;
    }

    /** Null before the first clone of this run. */
    @Nullable
    Cloning cloning() {
        return cloning;
    }

    /** What it waits for before it clones, in words; empty when it does not. Any thread. */
    String waitsFor() {
        return turn.waitsFor();
    }

    @Override
    public boolean running() {
        return server.isRunning();
    }

    /** What runs otherwise, or may be just starting, must not be taken for what is wanted. */
    private void startAs(StartMode mode) {
        if (server.isRunning() && startedAs != mode) {
            server.stop(StopMode.IMMEDIATE, IMMEDIATE_STOP);
        }
        if (!server.isRunning()) {
            startedAs = mode;
            pendingRestart = List.of();
            server.start(mode);
        }
    }

    /** The node stops: no server is started any more; whoever asks waits until the process ends, or is told so. */
    void leave() {
        leaving = true;
    }

    private void requireStaying() {
        if (!leaving) {
            return;
        }
        try {
            Thread.sleep(LEAVING);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        throw new LocalFault("this node stops");
    }

    /** Returns once the process runs: becoming consistent may need WAL that only streaming brings. */
    @Override
    public int startStandby() {
        requireStaying();
        rewinder.tidy();
        if (!server.isRunning()) {
            spare.takeBack();
            List<String> begun = new BegunTimelines(directory.path()).remove();
            if (!begun.isEmpty()) {
                LOGGER.atInfo()
                        .addMarker(LogKeys.REPLICATION)
                        .addKeyValue("segments", begun)
                        .log("a timeline had only begun to be received: received anew");
            }
            leaveWhatIsNotOurs();
        }
        startAs(StartMode.STANDBY);
        standby = true;
        return ControlFile.read(directory.path()).checkpointTimeline();
    }

    /** Timelines that it is not on, and a record that would bar what comes behind it: see {@link UnfinishedRecord}. */
    private void leaveWhatIsNotOurs() {
        if (directory.isUnfinished()) {
            return;
        }
        WalEnd end = findEnd();
        List<String> strays = new StrayHistories(directory.path()).removeBeyond(end);
        if (!strays.isEmpty()) {
            LOGGER.atInfo()
                    .addMarker(LogKeys.REPLICATION)
                    .addKeyValue("histories", strays)
                    .addKeyValue(LogKeys.TIMELINE, end.timeline())
                    .log("histories of timelines that this data is not on were removed");
        }
        if (new UnfinishedRecord(directory.path()).remove(end)) {
            LOGGER.atInfo()
                    .addMarker(LogKeys.REPLICATION)
                    .addKeyValue(LogKeys.LSN, end.end())
                    .log("a record had only begun to be received when its segment ended: received anew");
        }
    }

    @Override
    public Primary startPrimary() {
        requireStaying();
        standby = false;
        known = null;
        startAs(StartMode.PRIMARY);
        server.awaitReady(RECOVERY);
        int timeline = ControlFile.read(directory.path()).checkpointTimeline();
        return new Primary(timeline, timeline, Lsn.NONE, server.sessions().flushLsn());
    }

    @Override
    public void stop(boolean immediate) {
        server.stop(immediate ? StopMode.IMMEDIATE : StopMode.FAST, immediate ? IMMEDIATE_STOP : FAST_STOP);
        server.endLeftovers();
    }

    @Override
    public Primary promote(int timeline) {
        standby = false;
        known = null;
        server.awaitReady(PROMOTION);
        relay.prepareVoice();
        // Whatever comes of it, what runs from here on must not be taken for a standby again.
        startedAs = StartMode.PRIMARY;
        Promotion done = server.promote(timeline, PROMOTION);
        return new Primary(done.timeline(), done.parentTimeline(), done.forkLsn(), done.firstRecordEnd());
    }

    @Override
    public @Nullable Position position() {
        if (!server.isRunning()) {
            server.endLeftovers();
            known = null;
        }
        if (directory.isUnfinished()) {
            return null;
        }
        WalEnd end = findEnd();
        if (!end.sure()) {
            LOGGER.atWarn()
                    .addMarker(LogKeys.REPLICATION)
                    .addKeyValue(LogKeys.REASON, end.reason())
                    .log("the end of this node's WAL cannot be told");
            return null;
        }
        return new Position(end.timeline(), end.end());
    }

    /** Reads on from what was read before, since a failover waits for this; from the last checkpoint otherwise. */
    private WalEnd findEnd() {
        readTurn.lock();
        try {
            WalEnd before = known;
            WalEnd end =
                    before == null ? null : WalReader.findEnd(directory.path(), before.timeline(), before.lastRecord());
            if (end == null || !end.sure()) {
                end = WalReader.findEnd(directory.path());
            }
            known = end.sure() ? end : null;
            return end;
        } finally {
            readTurn.unlock();
        }
    }

    /**
     * Reads along on a running standby, so that little is left to read when it matters. What is read while WAL arrives
     * is no position; only its last record, which is whole, is used, as the place to read on from.
     */
    void readAlong() {
        if (!server.isReady() || !standby) {
            return;
        }
        try {
            WalEnd _ = findEnd();
        } catch (NodeException e) {
            LOGGER.atDebug().addKeyValue(LogKeys.REASON, e.getMessage()).log("could not read along");
        }
    }

    /** The settings that wait for the server's next start, as {@link #lookForPending} last saw them. Any thread. */
    List<String> pendingRestart() {
        return server.isReady() ? pendingRestart : List.of();
    }

    void lookForPending() {
        if (!server.isReady()) {
            return;
        }
        try {
            pendingRestart = server
                    .sessions()
                    .ask("SELECT name FROM pg_settings WHERE pending_restart ORDER BY name LIMIT " + PENDING_MAX)
                    .rows()
                    .stream()
                    .map(row -> String.valueOf(row.getFirst()))
                    .toList();
        } catch (RuntimeException e) {
            LOGGER.atDebug().addKeyValue(LogKeys.REASON, e.getMessage()).log("could not look for pending settings");
        }
    }

    @Override
    public void expectTimeline(int timeline, Lsn fork, BooleanSupplier wanted) throws InterruptedException {
        spares.expect(timeline, fork, wanted);
    }

    void keepSpare() {
        spares.keep();
    }

    @Override
    public Lsn insertPosition() {
        Lsn insert = server.sessions().insertLsn();
        try (PgConnection session = server.sessions().open("postgres", "quantadb flush")) {
            // On an idle server the last records may stay unflushed; a commit that waits for nobody flushes them.
            var _ = session.queryAll(
                    "SET synchronous_commit = local; SELECT pg_logical_emit_message(true, 'quantadb', 'flush')", PROBE);
        }
        return insert;
    }

    /**
     * Again after one that took long: what was dirtied meanwhile is what the shutdown's own would have to write. Each is
     * shorter than the one before it, unless the disk does not keep up anyway.
     */
    @Override
    public void checkpoint() {
        // Not over the kept session, which must not wait for a checkpoint's whole length.
        try (PgConnection session = server.sessions().open("postgres", "quantadb checkpoint")) {
            long last = Long.MAX_VALUE;
            for (int i = 0; i < CHECKPOINTS_MAX; i++) {
                long began = System.nanoTime();
                var _ = session.queryAll("CHECKPOINT", CHECKPOINT);
                long took = System.nanoTime() - began;
                if (took <= QUICK_CHECKPOINT.toNanos() || took > last / 2) {
                    return;
                }
                last = took;
            }
        }
    }

    @Override
    public Probed probeCommit() {
        CommitProbe probe = server.probeCommit();
        Boolean waited = probe.awaitWaiting(PROBE);
        // Closing its session would cancel the wait; it is closed when the voice has let it go.
        var _ = probe.finished().orTimeout(60, TimeUnit.SECONDS).whenComplete((done, failed) -> probe.close());
        return waited == null ? Probed.NOT_SEEN : waited ? Probed.WAITED : Probed.PASSED;
    }

    @Override
    public void cloneFrom(Member source, long epoch, long generation, boolean distrusted, BooleanSupplier wanted)
            throws InterruptedException {
        standby = false;
        known = null;
        server.endLeftovers();
        rewinder.tidy();
        directory.create();
        if (distrusted) {
            directory.giveUp(generation);
        }
        try (EpochWatch watch = new EpochWatch(wanted)) {
            // What is there stays until the copy begins: the source may be lost before.
            PeerStreams.Opened opened = turn.await(
                    source.node(),
                    () -> relay.openBaseBackup(source.node(), source.addresses().replication(), epoch, generation),
                    watch);
            watch.whenOver(() -> {
                var _ = opened.channel().close();
            });
            wipe(opened, generation);
            copy(opened);
        }
    }

    private void copy(PeerStreams.Opened opened) {
        try (PgConnection session = PgConnection.over(
                new StreamBytes(opened.channel()),
                Map.of("user", ServerConfig.AGENT_ROLE, "replication", "true"),
                LOG_IN)) {
            long[] told = {0};
            BaseBackupClient.Result done = BaseBackupClient.clone(
                    session,
                    new BaseBackupRequest(
                            directory.path(), "quantadb clone", owner(user), snapshotTimeout, rejoinRate, progress -> {
                                cloning = new Cloning(progress.doneBytes(), progress.totalBytes());
                                if (progress.doneBytes() - told[0] >= TELL_EVERY_BYTES) {
                                    told[0] = progress.doneBytes();
                                    LOGGER.atInfo()
                                            .addMarker(LogKeys.REPLICATION)
                                            .addKeyValue("done_mib", progress.doneBytes() >> 20)
                                            .addKeyValue("of_mib", progress.totalBytes() >> 20)
                                            .log("cloning");
                                }
                            }));
            LOGGER.atInfo()
                    .addMarker(LogKeys.REPLICATION)
                    .addKeyValue("mib", done.bytes() >> 20)
                    .addKeyValue(LogKeys.TIMELINE, done.timeline())
                    .addKeyValue(LogKeys.LSN, done.end())
                    .log("base backup copied");
        }
    }

    @Override
    public void rewind(Member source, long epoch, long generation, Position end, Lsn fork, BooleanSupplier wanted)
            throws InterruptedException, Overtaken {
        standby = false;
        known = null;
        rewinding = true;
        try (EpochWatch watch = new EpochWatch(wanted)) {
            rewinder.run(new Rewinder.Order(source, epoch, generation, end, fork, watch));
        } finally {
            rewinding = false;
        }
    }

    private void wipe(PeerStreams.Opened opened, long generation) {
        try {
            directory.wipeForClone(generation);
        } catch (RuntimeException e) {
            var _ = opened.channel().close();
            throw e;
        }
    }
}
