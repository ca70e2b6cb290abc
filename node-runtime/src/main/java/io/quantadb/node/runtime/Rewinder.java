package io.quantadb.node.runtime;

import io.quantadb.node.cluster.Member;
import io.quantadb.node.cluster.Position;
import io.quantadb.node.common.LogKeys;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeException;
import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.config.RewindMode;
import io.quantadb.node.coordinator.EngineControl;
import io.quantadb.node.pgwire.PgConnection;
import io.quantadb.node.postgres.DataDirectory;
import io.quantadb.node.postgres.PgRewind;
import io.quantadb.node.postgres.PostgresServer;
import io.quantadb.node.postgres.ServerConfig;
import io.quantadb.node.postgres.ServerUser;
import io.quantadb.node.relay.WalRelay;
import io.quantadb.node.transport.PeerStreams;
import io.quantadb.node.wal.ControlFile;
import io.quantadb.node.wal.DivergedWal;
import io.quantadb.node.wal.FileOwner;
import io.quantadb.node.wal.RewoundWal;
import io.quantadb.node.wal.WalEnd;
import java.nio.channels.ByteChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The rung of the rejoin ladder between streaming and a clone, for a node whose WAL left the primary's:
 *
 * <ol>
 *   <li>its own WAL is kept where a person finds it ({@link DivergedWal}), whatever comes of the rest;
 *   <li>there must be a pg_rewind, a way to the source, and no tablespace: until here nothing was changed;
 *   <li>the data directory is marked, durably: from here to the end it is no data, and a node that is killed or fails in
 *       between clones;
 *   <li>a server that did not stop in order is recovered to where it would have stopped;
 *   <li>pg_rewind, through a socket that leads to the source's agent;
 *   <li>the WAL that the first start needs is made whole ({@link RewoundWal}), the slots are forgotten, the mark is
 *       taken away.
 * </ol>
 *
 * <p>What it leaves is a directory as a clone leaves it, with an end of WAL that can be told. The configuration that the
 * agent writes lies outside it; {@code postgresql.conf} and {@code postgresql.auto.conf} in it are the source's
 * afterwards, as after a clone. Engine thread; every failure is a {@link NodeException} with words for people.
 */
final class Rewinder {
    private static final Logger LOGGER = LoggerFactory.getLogger(Rewinder.class);
    private static final Duration QUICK = Duration.ofSeconds(10);
    /** For a source that is not serving yet. */
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    /** For one that writes a checkpoint first. */
    private static final Duration CHECKPOINT = Duration.ofMinutes(10);

    private static final Duration ASK_AGAIN = Duration.ofMillis(500);
    private static final Duration RECOVERY = Duration.ofHours(24);
    private static final Duration REWIND = Duration.ofHours(24);
    /** Beside {@link NodePostgres#SOCKET_PORT}, in the directory of the relay's socket. */
    private static final int PORT = NodePostgres.SOCKET_PORT + 1;

    private final Settings settings;
    private final PostgresServer server;
    private final DataDirectory directory;
    private final ServerUser user;
    private final WalRelay relay;
    private final Path sockets;
    private final DivergedWal kept;
    private final InstantSource clock;

    /** @param bytesPerSecond how much pg_rewind may read a second; 0 for no limit */
    record Settings(RewindMode mode, long bytesPerSecond) {}

    Rewinder(
            Settings settings,
            PostgresServer server,
            NodePostgres postgres,
            WalRelay relay,
            DivergedWal kept,
            InstantSource clock) {
        this.settings = settings;
        this.server = server;
        this.directory = postgres.directory();
        this.user = postgres.user();
        this.relay = relay;
        this.sockets = postgres.relaySockets();
        this.kept = kept;
        this.clock = clock;
    }

    /**
     * Where from, and under which generation, which is on disk already.
     *
     * @param watch of the epoch: what waits for the source ends with it
     */
    record Order(Member source, long epoch, long generation, Position end, Lsn fork, EpochWatch watch) {}

    /** Before anything else is done with the data: removes WAL that a rewind had set aside when its agent died. */
    void tidy() {
        setAside().discard();
    }

    private RewoundWal setAside() {
        Path beside = directory.path().resolveSibling(directory.path().getFileName() + ".rewind-wal");
        @Nullable FileOwner owner = user.switched() ? new FileOwner((int) user.uid(), (int) user.gid()) : null;
        // Beside the data directory, since pg_rewind removes what the source has not got.
        return new RewoundWal(directory.path(), beside, owner);
    }

    /** {@link EngineControl.Overtaken} when the epoch was over before the data were changed: another source may do. */
    void run(Order order) throws InterruptedException, EngineControl.Overtaken {
        server.endLeftovers();
        keepWal(order);
        PgRewind program = program();
        RewoundWal wal = setAside();
        Path socket = PgConnection.socketIn(sockets, PORT);
        Pace pace = new Pace(settings.bytesPerSecond(), System::nanoTime);
        long began = System.nanoTime();
        boolean begun = false;
        try (PgConnection session = session(order);
                RewindTunnel tunnel = RewindTunnel.listen(socket, () -> stream(order), pace)) {
            // A source that is cut off ends no connection: pg_rewind would wait for it for hours.
            order.watch().whenOver(tunnel::close);
            requireNoTablespaces(session);
            wal.setAside(order.fork());
            begun = true;
            directory.beginRewind(order.generation());
            recover();
            rewind(program, tunnel);
            WalEnd end = wal.complete(session, order.fork());
            directory.endRewind();
            LOGGER.atInfo()
                    .addMarker(LogKeys.REPLICATION)
                    .addKeyValue("mib", tunnel.bytes() >> 20)
                    .addKeyValue("took_ms", (System.nanoTime() - began) / 1_000_000)
                    .addKeyValue(LogKeys.TIMELINE, end.timeline())
                    .addKeyValue(LogKeys.LSN, end.end())
                    .log("rewind complete");
        } catch (RuntimeException e) {
            if (!begun && order.watch().isOver()) {
                throw new EngineControl.Overtaken(String.valueOf(e.getMessage()), e);
            }
            throw e;
        } finally {
            wal.discard();
        }
    }

    /** That it cannot be kept keeps nobody from coming back. */
    private void keepWal(Order order) {
        try {
            DivergedWal.Saved saved = kept.save(
                    directory.path(),
                    new DivergedWal.Lost(
                            order.fork(), order.end().timeline(), order.end().lsn(), order.generation()),
                    clock.instant());
            if (saved != null) {
                LOGGER.atWarn()
                        .addMarker(LogKeys.REPLICATION)
                        .addKeyValue("folder", saved.folder())
                        .addKeyValue("from", saved.from())
                        .addKeyValue("to", saved.to())
                        .addKeyValue("segments", "%d of %d".formatted(saved.segments(), saved.ofSegments()))
                        .log(
                                "this node's own WAL, which the cluster left behind, is kept; quantadb diverged-wal lists it");
            }
        } catch (NodeException e) {
            LOGGER.atWarn()
                    .addMarker(LogKeys.REPLICATION)
                    .addKeyValue(LogKeys.REASON, e.getMessage())
                    .log("this node's own WAL, which the cluster left behind, cannot be kept");
        }
    }

    private PgRewind program() {
        if (settings.mode() == RewindMode.OFF) {
            throw new LocalFault("postgres.rewind is off");
        }
        return PgRewind.of(server.config())
                .orElseThrow(() -> new LocalFault("there is no pg_rewind beside %s; packages of PostgreSQL bring it"
                        .formatted(server.config().binaries().postgres())));
    }

    /** The copy would be told to write where the source's tablespaces are, which on this machine is nobody's to guess. */
    private static void requireNoTablespaces(PgConnection session) {
        String others = session.query(
                        "SELECT count(*) FROM pg_catalog.pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global')",
                        QUICK)
                .single();
        if (!others.equals("0")) {
            throw new LocalFault(
                    "the source has %s tablespaces; nodes with tablespaces cannot be rewound".formatted(others));
        }
    }

    private void recover() {
        if (ControlFile.read(directory.path()).cleanlyShutDown()) {
            return;
        }
        LOGGER.atInfo()
                .addMarker(LogKeys.REPLICATION)
                .log("recovering the server, which did not stop in order, before it is rewound");
        server.recoverAlone(RECOVERY);
    }

    private void rewind(PgRewind program, RewindTunnel tunnel) {
        LOGGER.atInfo().addMarker(LogKeys.REPLICATION).log("rewinding the data directory");
        try {
            program.run(sockets, PORT, REWIND);
        } catch (LocalFault e) {
            String trouble = tunnel.trouble();
            throw trouble.isEmpty() ? e : new LocalFault("%s (%s)".formatted(e.getMessage(), trouble), e);
        }
    }

    private PgConnection session(Order order) throws InterruptedException {
        return PgConnection.over(
                stream(order),
                Map.of("user", ServerConfig.REWIND_ROLE, "database", "postgres", "application_name", "quantadb"),
                QUICK);
    }

    private ByteChannel stream(Order order) throws InterruptedException {
        NodeException.LocalFault last;
        long began = System.nanoTime();
        Duration patience;
        do {
            try {
                return new StreamBytes(open(order).channel());
            } catch (ExecutionException e) {
                boolean refused = e.getCause() instanceof PeerStreams.StreamRefused;
                String code = e.getCause() instanceof PeerStreams.StreamRefused r ? r.code() : "";
                patience = code.equals("not_yet")
                        ? CHECKPOINT
                        : !refused || code.equals("not_ready") || code.equals("wrong_epoch") ? PATIENCE : Duration.ZERO;
                String words = e.getCause() == null
                        ? e.toString()
                        : String.valueOf(e.getCause().getMessage());
                last = new LocalFault(
                        "%s does not let this node rewind: %s"
                                .formatted(order.source().node(), words),
                        e);
            } catch (TimeoutException e) {
                patience = PATIENCE;
                last = new LocalFault(
                        "%s did not answer within %s".formatted(order.source().node(), QUICK), e);
            }
            Thread.sleep(ASK_AGAIN);
        } while (System.nanoTime() - began < patience.toNanos()
                && !order.watch().isOver());
        throw order.watch().isOver() ? EpochWatch.over() : last;
    }

    private PeerStreams.Opened open(Order order) throws InterruptedException, ExecutionException, TimeoutException {
        CompletableFuture<PeerStreams.Opened> opened = relay.openRewind(
                order.source().node(), order.source().addresses().replication(), order.epoch(), order.generation());
        try {
            return order.watch().await(opened, QUICK);
        } finally {
            // Interrupted, overtaken or too late: nobody is left to take the stream over.
            opened.cancel(true);
        }
    }
}
