package io.quantadb.node.api;

import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Chooses the answer to one request line; the only place that maps outcomes to HTTP status codes. */
final class ApiRouter {
    /** A complete answer, not yet on the wire. */
    record Answer(HttpResponseStatus status, byte[] body) {}

    private static final Logger LOGGER = LoggerFactory.getLogger(ApiRouter.class);
    private static final String PATHS = "use GET /cluster/status, /cluster/nodes or /cluster/health";

    private final Supplier<ClusterView> views;

    /** @param views hands out what is known at once; called on the API's thread, must not wait */
    ApiRouter(Supplier<ClusterView> views) {
        this.views = views;
    }

    Answer answer(HttpMethod method, String uri) {
        int query = uri.indexOf('?');
        String path = query < 0 ? uri : uri.substring(0, query);
        boolean known = switch (path) {
            case "/cluster/status", "/cluster/nodes", "/cluster/health" -> true;
            default -> false;
        };
        if (!known) {
            return refusal(HttpResponseStatus.NOT_FOUND, "there is nothing at this path", PATHS);
        }
        if (!method.equals(HttpMethod.GET) && !method.equals(HttpMethod.HEAD)) {
            return refusal(HttpResponseStatus.METHOD_NOT_ALLOWED, "this path is read only", PATHS);
        }
        ClusterView view;
        try {
            view = views.get();
        } catch (RuntimeException e) {
            LOGGER.atError().setCause(e).log("the state of the node could not be told");
            return refusal(
                    HttpResponseStatus.INTERNAL_SERVER_ERROR,
                    "the state of this node could not be told",
                    "see the log of this node");
        }
        return switch (path) {
            case "/cluster/status" -> new Answer(HttpResponseStatus.OK, Json.bytes(new StatusBody(view)));
            case "/cluster/nodes" -> new Answer(HttpResponseStatus.OK, Json.bytes(new NodesBody(view)));
            default ->
                new Answer(
                        view.clusterHealthy() ? HttpResponseStatus.OK : HttpResponseStatus.SERVICE_UNAVAILABLE,
                        Json.bytes(new HealthBody(view)));
        };
    }

    static Answer refusal(HttpResponseStatus status, String error, String hint) {
        return new Answer(status, Json.bytes(new ErrorBody(error, hint)));
    }
}
