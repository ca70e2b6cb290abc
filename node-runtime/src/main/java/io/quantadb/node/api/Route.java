package io.quantadb.node.api;

import io.netty.handler.codec.http.HttpMethod;
import org.jspecify.annotations.Nullable;

/** Every path of the API: what may be asked of it, and who may ask. */
enum Route {
    LIVEZ("/livez", Caller.Role.ANYBODY, null),
    READYZ("/readyz", Caller.Role.ANYBODY, null),
    STARTUPZ("/startupz", Caller.Role.ANYBODY, null),
    STATUS("/cluster/status", Caller.Role.VIEWER, null),
    NODES("/cluster/nodes", Caller.Role.VIEWER, null),
    HEALTH("/cluster/health", Caller.Role.VIEWER, null),
    RAFT_HEALTH("/_raft/health", Caller.Role.VIEWER, null),
    SYNC_STATUS("/_raft/sync-status", Caller.Role.VIEWER, null),
    DIVERGED_WAL("/cluster/diverged-wal", Caller.Role.VIEWER, null),
    EVENTS("/cluster/events", Caller.Role.VIEWER, null),
    RESYNC_STATS("/_raft/resync_stats", Caller.Role.VIEWER, null),
    FORCE_RESYNC("/_raft/force-resync", null, Caller.Role.OPERATOR),
    BOOTSTRAP("/cluster/bootstrap", null, Caller.Role.OPERATOR),
    REMOVE("/cluster/members/remove", null, Caller.Role.OPERATOR),
    MODE("/cluster/mode", null, Caller.Role.OPERATOR),
    MAINTENANCE("/cluster/members/maintenance", null, Caller.Role.OPERATOR),
    UPSTREAM("/cluster/members/upstream", null, Caller.Role.OPERATOR),
    PLACEMENT("/cluster/members/placement", null, Caller.Role.OPERATOR),
    FENCE("/cluster/members/fence", null, Caller.Role.OPERATOR),
    RESTART("/cluster/members/restart", null, Caller.Role.OPERATOR),
    FAILOVER("/cluster/failover", null, Caller.Role.OPERATOR),
    PAUSE("/cluster/maintenance", null, Caller.Role.OPERATOR),
    SWITCHOVER("/cluster/switchover", Caller.Role.VIEWER, Caller.Role.OPERATOR),
    SETTINGS("/cluster/settings", Caller.Role.VIEWER, Caller.Role.OPERATOR);

    private final String path;
    private final Caller.@Nullable Role reads;
    private final Caller.@Nullable Role changes;

    /**
     * @param reads who may GET; null when there is nothing to read
     * @param changes who may POST; null when there is nothing to change
     */
    Route(String path, Caller.@Nullable Role reads, Caller.@Nullable Role changes) {
        this.path = path;
        this.reads = reads;
        this.changes = changes;
    }

    static @Nullable Route of(String path) {
        for (Route route : values()) {
            if (route.path.equals(path)) {
                return route;
            }
        }
        return null;
    }

    /** Whether the request is a POST with a body that changes something; a path that only changes is taken for one. */
    boolean changes(HttpMethod method) {
        return changes != null && (reads == null || method.equals(HttpMethod.POST));
    }

    Caller.Role requires(HttpMethod method) {
        Caller.Role role = changes(method) ? changes : reads;
        return role == null ? Caller.Role.OPERATOR : role;
    }

    boolean allows(HttpMethod method) {
        boolean read = method.equals(HttpMethod.GET) || method.equals(HttpMethod.HEAD);
        return (changes != null && method.equals(HttpMethod.POST)) || (reads != null && read);
    }

    /** The value of the {@code Allow} header. */
    String methods() {
        return reads == null ? "POST" : changes == null ? "GET, HEAD" : "GET, HEAD, POST";
    }
}
