package io.quantadb.node.transport;

import static io.quantadb.node.common.LogKeys.CLUSTER;
import static io.quantadb.node.common.LogKeys.NODE;
import static io.quantadb.node.common.LogKeys.REASON;

import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.quantadb.node.common.MonotonicClock;
import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.pki.NodeCredentials;
import io.quantadb.node.pki.TlsFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The TLS contexts of this process, made from one set of PEM files and made anew when those files change. Nobody keeps
 * a context: whoever dials or accepts asks for the present one. Files are looked at once a second at most, off the
 * event loop, so a rotation is used by connections made a second later; those that stand stay. Files that cannot be
 * used (half copied, key and certificate of different pairs) are reported and the old context serves on.
 *
 * <p>Between nodes: TLS 1.3 only, certificate required on both sides ({@link TlsEngines}). Any thread.
 */
public final class TlsContexts {
    private static final Logger LOGGER = LoggerFactory.getLogger(TlsContexts.class);
    private static final Duration LOOK_EVERY = Duration.ofSeconds(1);

    /** What a file looked like when it was read. */
    private record Look(
            @Nullable FileTime modified,
            long bytes,
            @Nullable Object inode) {
        static Look at(Path file) {
            try {
                BasicFileAttributes a = Files.readAttributes(file, BasicFileAttributes.class);
                return new Look(a.lastModifiedTime(), a.size(), a.fileKey());
            } catch (IOException e) {
                return new Look(null, -1, null);
            }
        }
    }

    private record Current(
            List<Look> looks,
            NodeCredentials credentials,
            SslContext peerServer,
            SslContext peerClient,
            Map<Wish, SslContext> servers) {}

    private record Wish(ClientAuth clientAuth, List<String> applicationProtocols) {}

    private final TlsFiles files;
    private final NodeId self;
    private final MonotonicClock clock;
    private final InstantSource wall;
    private final TlsEngines engines;
    private final Executor helper;
    private final AtomicLong lastLookNanos;
    private volatile Current current;
    private volatile @Nullable List<Look> unusable;

    /**
     * Reads the files; {@link LocalFault} when they cannot be used.
     *
     * @param helper where changed files are read; never an event loop
     */
    TlsContexts(TlsFiles files, NodeId self, MonotonicClock clock, InstantSource wall, Executor helper) {
        this.files = files;
        this.self = self;
        this.clock = clock;
        this.wall = wall;
        this.engines = new TlsEngines(wall);
        this.helper = helper;
        this.lastLookNanos = new AtomicLong(clock.nanos());
        this.current = load(looks());
    }

    /** Who this process is, as it presently proves it. */
    public NodeCredentials credentials() {
        return current().credentials;
    }

    /**
     * A server context for those who are not nodes (SQL clients, the HTTP API): TLS 1.2 and 1.3, this node's
     * certificate; client certificates, where asked for, are a node's or a role's, checked against the cluster's CA. Ask for it at each
     * accepted connection.
     *
     * @param applicationProtocols what ALPN may choose from ({@code postgresql} for direct TLS); may be empty
     */
    public SslContext server(ClientAuth clientAuth, List<String> applicationProtocols) {
        Current now = current();
        return now.servers.computeIfAbsent(
                new Wish(clientAuth, List.copyOf(applicationProtocols)),
                wish -> engines.clients(now.credentials, wish.clientAuth, wish.applicationProtocols));
    }

    SslContext peerServer() {
        return current().peerServer;
    }

    SslContext peerClient() {
        return current().peerClient;
    }

    private Current current() {
        long now = clock.nanos();
        long last = lastLookNanos.get();
        if (now - last >= LOOK_EVERY.toNanos() && lastLookNanos.compareAndSet(last, now)) {
            try {
                helper.execute(this::reloadIfChanged);
            } catch (RejectedExecutionException e) {
                // Busy or closing: the next connection asks again in a second.
                LOGGER.atDebug().addMarker(CLUSTER).log("certificate files not looked at");
            }
        }
        return current;
    }

    /** Blocking; the present contexts stay when the new files cannot be used. */
    synchronized void reloadIfChanged() {
        List<Look> looks = looks();
        if (looks.equals(current.looks) || looks.equals(unusable)) {
            return;
        }
        try {
            current = load(looks);
            unusable = null;
            LOGGER.atInfo()
                    .addMarker(CLUSTER)
                    .addKeyValue(NODE, self)
                    .addKeyValue("expires", current.credentials.expires())
                    .log("certificate files changed, new connections use them");
        } catch (LocalFault e) {
            unusable = looks;
            LOGGER.atWarn()
                    .addMarker(CLUSTER)
                    .addKeyValue(NODE, self)
                    .addKeyValue(REASON, e.getMessage())
                    .log("certificate files changed and cannot be used, the old ones stay in use");
        }
    }

    private List<Look> looks() {
        return List.of(Look.at(files.ca()), Look.at(files.cert()), Look.at(files.key()));
    }

    private Current load(List<Look> looks) {
        NodeCredentials own = NodeCredentials.load(files, self, wall.instant());
        return new Current(looks, own, engines.peer(own, false), engines.peer(own, true), new ConcurrentHashMap<>());
    }
}
