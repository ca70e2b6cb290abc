package io.quantadb.node.transport;

import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.quantadb.node.common.MonotonicClock;
import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.pki.NodeCredentials;
import io.quantadb.node.pki.ShownCertificate;
import io.quantadb.node.pki.TlsFiles;
import io.quantadb.node.pki.Validity;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/**
 * The TLS contexts of this process, made from PEM files and made anew when those files change ({@link Reloaded}). Nobody
 * keeps a context: whoever dials or accepts asks for the present one. A rotation is used by connections made a second
 * later; those that stand stay.
 *
 * <p>Between nodes: TLS 1.3 only, certificate required on both sides ({@link TlsEngines}). Any thread.
 */
public final class TlsContexts {
    private static final String SHOWN = "the certificate for SQL clients";

    private record Current(
            NodeCredentials credentials, SslContext peerServer, SslContext peerClient, Map<Wish, SslContext> servers) {}

    private record Wish(ClientAuth clientAuth, List<String> applicationProtocols) {}

    private record Shown(ShownCertificate certificate, SslContext context) {}

    private final TlsFiles files;
    private final NodeId self;
    private final MonotonicClock clock;
    private final InstantSource wall;
    private final TlsEngines engines;
    private final Executor helper;
    /** What was ever asked for, made ahead when the files change so that no event loop has to. */
    private final Set<Wish> wishes = ConcurrentHashMap.newKeySet();

    private final Reloaded<Current> own;
    private final List<Supplier<Validity>> others = new CopyOnWriteArrayList<>();

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
        this.own = new Reloaded<>(
                self,
                List.of(files.ca(), files.cert(), files.key()),
                this::load,
                now -> now.credentials().expires(),
                clock,
                helper);
    }

    /** Who this process is, as it presently proves it. */
    public NodeCredentials credentials() {
        return own.current().credentials();
    }

    /**
     * A server context for those who are not nodes (SQL clients, the HTTP API): TLS 1.2 and 1.3, this node's
     * certificate; client certificates, where asked for, are a node's or a role's, checked against the cluster's CA. Ask for it at each
     * accepted connection.
     *
     * @param applicationProtocols what ALPN may choose from ({@code postgresql} for direct TLS); may be empty
     */
    public SslContext server(ClientAuth clientAuth, List<String> applicationProtocols) {
        Current now = own.current();
        Wish wish = new Wish(clientAuth, List.copyOf(applicationProtocols));
        wishes.add(wish);
        return now.servers().computeIfAbsent(wish, w -> server(now.credentials(), w));
    }

    /**
     * The same for clients who are shown another certificate than this node's, and bring none.
     *
     * @return the present context; to be asked at each accepted connection
     * @throws LocalFault when the files cannot be used
     */
    public Supplier<SslContext> server(Path certFile, Path keyFile, List<String> applicationProtocols) {
        List<String> protocols = List.copyOf(applicationProtocols);
        Reloaded<Shown> shown = new Reloaded<>(
                self,
                List.of(certFile, keyFile),
                () -> {
                    ShownCertificate certificate = ShownCertificate.load(certFile, keyFile, wall.instant());
                    return new Shown(certificate, engines.clients(certificate, protocols));
                },
                now -> now.certificate().chain().getFirst().getNotAfter().toInstant(),
                clock,
                helper);
        others.add(() ->
                Validity.of(SHOWN, certFile, shown.look().certificate().chain().getFirst()));
        return () -> shown.current().context();
    }

    /** Looks at all files now, uses what has changed, and tells how long each certificate in use is good. Blocking. */
    public List<Validity> look() {
        List<Validity> all = new ArrayList<>(own.look().credentials().validities(files));
        others.forEach(other -> all.add(other.get()));
        return List.copyOf(all);
    }

    SslContext peerServer() {
        return own.current().peerServer();
    }

    SslContext peerClient() {
        return own.current().peerClient();
    }

    private SslContext server(NodeCredentials credentials, Wish wish) {
        return engines.clients(credentials, wish.clientAuth(), wish.applicationProtocols());
    }

    private Current load() {
        NodeCredentials read = NodeCredentials.load(files, self, wall.instant());
        Map<Wish, SslContext> servers = new ConcurrentHashMap<>();
        wishes.forEach(wish -> servers.put(wish, server(read, wish)));
        return new Current(read, engines.peer(read, false), engines.peer(read, true), servers);
    }
}
