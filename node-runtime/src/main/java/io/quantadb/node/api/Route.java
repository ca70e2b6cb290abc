package io.quantadb.node.api;

import io.netty.handler.codec.http.HttpMethod;
import org.jspecify.annotations.Nullable;

/** Every path of the API: what may be asked of it, and who may ask. */
enum Route {
    LIVEZ("/livez", false, Caller.Role.ANYBODY),
    READYZ("/readyz", false, Caller.Role.ANYBODY),
    STARTUPZ("/startupz", false, Caller.Role.ANYBODY),
    STATUS("/cluster/status", false, Caller.Role.VIEWER),
    NODES("/cluster/nodes", false, Caller.Role.VIEWER),
    HEALTH("/cluster/health", false, Caller.Role.VIEWER),
    RAFT_HEALTH("/_raft/health", false, Caller.Role.VIEWER),
    SYNC_STATUS("/_raft/sync-status", false, Caller.Role.VIEWER),
    RESYNC_STATS("/_raft/resync_stats", false, Caller.Role.VIEWER),
    FORCE_RESYNC("/_raft/force-resync", true, Caller.Role.OPERATOR),
    BOOTSTRAP("/cluster/bootstrap", true, Caller.Role.OPERATOR),
    REMOVE("/cluster/members/remove", true, Caller.Role.OPERATOR),
    MODE("/cluster/mode", true, Caller.Role.OPERATOR),
    MAINTENANCE("/cluster/members/maintenance", true, Caller.Role.OPERATOR);

    private final String path;
    private final boolean changes;
    private final Caller.Role requires;

    Route(String path, boolean changes, Caller.Role requires) {
        this.path = path;
        this.changes = changes;
        this.requires = requires;
    }

    static @Nullable Route of(String path) {
        for (Route route : values()) {
            if (route.path.equals(path)) {
                return route;
            }
        }
        return null;
    }

    /** Whether it is a POST with a body, and changes something. */
    boolean changes() {
        return changes;
    }

    Caller.Role requires() {
        return requires;
    }

    boolean allows(HttpMethod method) {
        return changes
                ? method.equals(HttpMethod.POST)
                : method.equals(HttpMethod.GET) || method.equals(HttpMethod.HEAD);
    }

    /** The value of the {@code Allow} header. */
    String methods() {
        return changes ? "POST" : "GET, HEAD";
    }
}
