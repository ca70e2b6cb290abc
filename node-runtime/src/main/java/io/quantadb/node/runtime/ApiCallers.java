package io.quantadb.node.runtime;

import io.quantadb.node.api.Caller;
import io.quantadb.node.api.Gatekeeper;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.pki.ClusterRole;
import io.quantadb.node.pki.NodeCredentials;
import io.quantadb.node.pki.Subjects;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Who calls the API: a node of this cluster or the bearer of a role, by certificate; on loopback addresses also this
 * node's own user, by the token that only that user can read, and anybody as a reader. Any thread, never waits.
 */
final class ApiCallers implements Gatekeeper {
    private static final String BEARER = "Bearer ";

    private final Supplier<NodeCredentials> own;
    private final @Nullable String token;
    private final InstantSource wall;

    /**
     * @param own what this node proves itself with now
     * @param token this node's own, where it listens on loopback alone; null elsewhere, where reading needs a certificate
     */
    ApiCallers(Supplier<NodeCredentials> own, @Nullable String token, InstantSource wall) {
        this.own = own;
        this.token = token;
        this.wall = wall;
    }

    @Override
    public Caller identify(@Nullable X509Certificate certificate, @Nullable String authorization) {
        Caller shown = certificate == null ? Caller.UNKNOWN : bearer(certificate);
        if (token == null || shown.role() == Caller.Role.OPERATOR) {
            return shown;
        }
        if (authorization != null && isToken(authorization, token)) {
            return new Caller("token", Caller.Role.OPERATOR);
        }
        return shown.role() == Caller.Role.ANYBODY ? new Caller("", Caller.Role.VIEWER) : shown;
    }

    /** The handshake has checked the chain; a connection may outlive its certificate, and a TLS session its connection. */
    private Caller bearer(X509Certificate certificate) {
        if (wall.instant().isAfter(certificate.getNotAfter().toInstant())) {
            return Caller.UNKNOWN;
        }
        Optional<String> cluster = own.get().cluster();
        String name = Subjects.commonName(certificate).orElse("");
        Optional<ClusterRole> role = ClusterRole.of(certificate, cluster);
        if (role.isPresent()) {
            return new Caller(
                    name,
                    switch (role.get()) {
                        case OPERATOR -> Caller.Role.OPERATOR;
                        case VIEWER -> Caller.Role.VIEWER;
                    });
        }
        return Subjects.organization(certificate).equals(cluster) && isNodeId(name)
                ? new Caller(name, Caller.Role.NODE)
                : Caller.UNKNOWN;
    }

    private static boolean isNodeId(String name) {
        try {
            return new NodeId(name).value().equals(name);
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private static boolean isToken(String authorization, String token) {
        // Takes as long for a token that is nearly right as for any other.
        return MessageDigest.isEqual(
                authorization.getBytes(StandardCharsets.UTF_8), (BEARER + token).getBytes(StandardCharsets.UTF_8));
    }
}
