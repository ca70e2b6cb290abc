package io.quantadb.node.api;

import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.quantadb.node.cluster.AdminRequest;
import io.quantadb.node.cluster.SwitchoverReport;
import io.quantadb.node.common.EventBook;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Chooses the answer to one request; the only place that maps outcomes to HTTP status codes. */
final class ApiRouter {
    /**
     * A complete answer, not yet on the wire.
     *
     * @param allow the {@code Allow} header; null for none
     */
    record Answer(
            HttpResponseStatus status,
            byte[] body,
            @Nullable String allow) {
        Answer(HttpResponseStatus status, byte[] body) {
            this(status, body, null);
        }
    }

    private static final Logger LOGGER = LoggerFactory.getLogger(ApiRouter.class);
    private static final List<String> EVENTS_DEFAULT = List.of("100");
    private static final String PATHS =
            "use GET /cluster/status, /cluster/nodes, /cluster/health, /_raft/health or /_raft/sync-status";

    private final Supplier<ClusterView> views;
    private final Probes probes;
    private final Founder founder;
    private final Administrator administrator;
    private final Switchovers switchovers;
    private final Supplier<List<KeptSegments>> divergedWal;
    private final EventBook events;

    ApiRouter(ApiServer.Answers answers) {
        this.views = answers.views();
        this.probes = answers.probes();
        this.founder = answers.founder();
        this.administrator = answers.administrator();
        this.switchovers = answers.switchovers();
        this.divergedWal = answers.divergedWal();
        this.events = answers.events();
    }

    /** Changes no running cluster. */
    ApiRouter(Supplier<ClusterView> views, Probes probes, Founder founder) {
        this(new ApiServer.Answers(views, probes, founder, Administrator.none(), Gatekeeper.readOnly()));
    }

    /** Why a request is refused before its body is looked at; null when it is not. */
    @Nullable
    Answer refusal(HttpMethod method, String uri, Caller caller) {
        Route route = Route.of(path(uri));
        if (route == null) {
            return refusal(HttpResponseStatus.NOT_FOUND, "there is nothing at this path", PATHS);
        }
        if (!route.allows(method)) {
            Answer answer = refusal(
                    HttpResponseStatus.METHOD_NOT_ALLOWED,
                    route.changes(HttpMethod.POST) ? "this path is for " + route.methods() : "this path is read only",
                    route.changes(HttpMethod.POST) ? "POST a JSON object" : PATHS);
            return new Answer(answer.status(), answer.body(), route.methods());
        }
        if (caller.may(route.requires(method))) {
            return null;
        }
        return switch (caller.role()) {
            case ANYBODY ->
                refusal(
                        HttpResponseStatus.UNAUTHORIZED,
                        "this path needs a client certificate of the cluster's CA",
                        route.changes(method)
                                ? "show one of role operator (O=quantadb-operator)"
                                : "show a node's, or one of role viewer or operator");
            case VIEWER, NODE, OPERATOR ->
                refusal(
                        HttpResponseStatus.FORBIDDEN,
                        "role %s may not do this".formatted(caller.role().name().toLowerCase(java.util.Locale.ROOT)),
                        "show a certificate of role operator (O=quantadb-operator), or the token of this node");
        };
    }

    private static String path(String uri) {
        int query = uri.indexOf('?');
        return query < 0 ? uri : uri.substring(0, query);
    }

    /** Whether the answer has to wait for a change to be made. */
    static boolean isChange(HttpMethod method, String uri) {
        Route route = Route.of(path(uri));
        return route != null && route.changes(method);
    }

    /** The answer to a read that {@link #refusal} let pass. */
    Answer answer(String uri) {
        Route route = Route.of(path(uri));
        try {
            return switch (route) {
                case LIVEZ -> probe(probes.live());
                case READYZ -> probe(probes.ready());
                case STARTUPZ -> probe(probes.startup());
                case STATUS -> new Answer(HttpResponseStatus.OK, Json.bytes(new StatusBody(views.get())));
                case NODES -> new Answer(HttpResponseStatus.OK, Json.bytes(new NodesBody(views.get())));
                case HEALTH -> health(views.get());
                case RAFT_HEALTH -> raftHealth(views.get());
                case SYNC_STATUS -> syncStatus(views.get());
                case RESYNC_STATS -> new Answer(HttpResponseStatus.OK, Json.bytes(new ResyncStatsBody(views.get())));
                case DIVERGED_WAL ->
                    new Answer(HttpResponseStatus.OK, Json.bytes(new DivergedWalBody(views.get(), divergedWal.get())));
                case EVENTS -> events(uri);
                case SWITCHOVER -> switchover(uri);
                case SETTINGS -> new Answer(HttpResponseStatus.OK, Json.bytes(new SettingsBody(views.get())));
                case BOOTSTRAP,
                        REMOVE,
                        MODE,
                        MAINTENANCE,
                        UPSTREAM,
                        PLACEMENT,
                        PAUSE,
                        FENCE,
                        RESTART,
                        FAILOVER,
                        FORCE_RESYNC -> throw new IllegalArgumentException("a change is not a read");
                case null -> throw new IllegalArgumentException("nothing is at " + uri);
            };
        } catch (RuntimeException e) {
            LOGGER.atError().setCause(e).log("the state of the node could not be told");
            return refusal(
                    HttpResponseStatus.INTERNAL_SERVER_ERROR,
                    "the state of this node could not be told",
                    "see the log of this node");
        }
    }

    /** The last one, or with {@code ?id=} the one that this names. */
    private Answer switchover(String uri) {
        int at = uri.indexOf("?id=");
        SwitchoverReport report;
        if (at < 0) {
            report = switchovers.last();
        } else {
            try {
                report = switchovers
                        .byId(Long.parseUnsignedLong(uri.substring(at + 4)))
                        .orElse(null);
            } catch (NumberFormatException e) {
                report = null;
            }
            if (report == null) {
                return refusal(
                        HttpResponseStatus.NOT_FOUND,
                        "this node has heard of no switchover of that id",
                        "GET /cluster/switchover tells the last one");
            }
        }
        return new Answer(HttpResponseStatus.OK, Json.bytes(new SwitchoverBody(report)));
    }

    /** With {@code ?limit=} so many at most, with {@code ?after=} those alone that came after the one of that number. */
    private Answer events(String uri) {
        var query = new QueryStringDecoder(uri).parameters();
        int limit;
        long after;
        try {
            limit = Integer.parseInt(query.getOrDefault("limit", EVENTS_DEFAULT).getFirst());
            after = Long.parseLong(query.getOrDefault("after", List.of("0")).getFirst());
        } catch (NumberFormatException e) {
            limit = 0;
            after = 0;
        }
        if (limit < 1) {
            return refusal(
                    HttpResponseStatus.BAD_REQUEST,
                    "'limit' and 'after' are whole numbers, and 'limit' is 1 at least",
                    "GET /cluster/events?limit=100&after=0");
        }
        return new Answer(HttpResponseStatus.OK, Json.bytes(new EventsBody(views.get(), events.last(limit, after))));
    }

    private static Answer probe(Probe probe) {
        return new Answer(
                probe.good() ? HttpResponseStatus.OK : HttpResponseStatus.SERVICE_UNAVAILABLE, Json.bytes(probe));
    }

    private static Answer health(ClusterView view) {
        return new Answer(
                view.clusterHealthy() ? HttpResponseStatus.OK : HttpResponseStatus.SERVICE_UNAVAILABLE,
                Json.bytes(new HealthBody(view)));
    }

    private static Answer raftHealth(ClusterView view) {
        boolean known = view.raft().leader() != null || view.leads();
        return new Answer(
                known ? HttpResponseStatus.OK : HttpResponseStatus.SERVICE_UNAVAILABLE,
                Json.bytes(new RaftHealthBody(view)));
    }

    private static Answer syncStatus(ClusterView view) {
        HttpResponseStatus status = view.leads()
                ? HttpResponseStatus.OK
                : view.raft().leader() != null
                        ? HttpResponseStatus.MISDIRECTED_REQUEST
                        : HttpResponseStatus.SERVICE_UNAVAILABLE;
        return new Answer(status, Json.bytes(new SyncStatusBody(view)));
    }

    /** Makes the change that {@link #refusal} let pass; never fails. */
    CompletableFuture<Answer> change(String uri, byte[] body, Caller caller) {
        Route route = Route.of(path(uri));
        return switch (route) {
            case null -> found(body, caller);
            case BOOTSTRAP -> found(body, caller);
            case FORCE_RESYNC -> resync(uri, caller);
            case SWITCHOVER -> switchOver(body, caller);
            default -> administer(route, body, caller);
        };
    }

    /** What is wanted stands in the query; a body is not looked at. */
    private CompletableFuture<Answer> resync(String uri, Caller caller) {
        var query = new QueryStringDecoder(uri).parameters();
        String target = query.getOrDefault("target", List.of("")).getFirst();
        boolean anyway = query.getOrDefault("anyway", List.of("")).contains("true");
        ClusterView view = views.get();
        ClusterView.Member member = view.named(target).orElse(null);
        if (member == null) {
            String members = view.members().stream().map(m -> m.id().value()).collect(Collectors.joining(", "));
            HttpResponseStatus status =
                    target.isEmpty() ? HttpResponseStatus.BAD_REQUEST : HttpResponseStatus.NOT_FOUND;
            return CompletableFuture.completedFuture(refusedResync(
                    status,
                    target,
                    target.isEmpty()
                            ? "'target' is missing"
                            : "no member has the node id or address '%s'".formatted(target),
                    "say ?target=<node id or address>; the members are " + members));
        }
        AdminRequest wanted = new AdminRequest.Resync(member.id(), anyway);
        return administrator.ask(wanted, caller.name()).handle((outcome, failed) -> {
            if (failed != null) {
                LOGGER.atError().setCause(failed).log("a copy could not be asked for");
                return refusedResync(
                        HttpResponseStatus.INTERNAL_SERVER_ERROR,
                        target,
                        "the copy could not be asked for",
                        "see the log of this node");
            }
            return switch (outcome.verdict()) {
                case ACCEPTED ->
                    new Answer(
                            HttpResponseStatus.ACCEPTED, Json.bytes(new ResyncBody(target, true, outcome.words(), "")));
                case REFUSED, UNCONFIRMED ->
                    refusedResync(HttpResponseStatus.CONFLICT, target, outcome.words(), "nothing was changed");
                case NOT_NOW, NOT_LEADER ->
                    refusedResync(
                            HttpResponseStatus.SERVICE_UNAVAILABLE, target, outcome.words(), "ask again in a while");
            };
        });
    }

    private static Answer refusedResync(HttpResponseStatus status, String target, String why, String hint) {
        return new Answer(status, Json.bytes(new ResyncBody(target, false, why, hint)));
    }

    private CompletableFuture<Answer> administer(Route route, byte[] body, Caller caller) {
        AdminRequest wanted;
        try {
            wanted = AdminRequests.parse(route, body, System.currentTimeMillis());
        } catch (Fields.Malformed e) {
            return CompletableFuture.completedFuture(refusal(
                    HttpResponseStatus.BAD_REQUEST, String.valueOf(e.getMessage()), AdminRequests.example(route)));
        }
        return administrator.ask(wanted, caller.name()).handle((outcome, failed) -> {
            if (failed != null) {
                LOGGER.atError().setCause(failed).log("a change could not be asked for");
                return refusal(
                        HttpResponseStatus.INTERNAL_SERVER_ERROR,
                        "the change could not be asked for",
                        "see the log of this node");
            }
            return switch (outcome.verdict()) {
                case ACCEPTED -> new Answer(HttpResponseStatus.ACCEPTED, Json.bytes(new AdminBody(outcome.words())));
                case REFUSED ->
                    refusal(HttpResponseStatus.CONFLICT, outcome.words(), "nothing was changed; see /cluster/nodes");
                case UNCONFIRMED ->
                    refusal(
                            HttpResponseStatus.PRECONDITION_REQUIRED,
                            outcome.words(),
                            "nothing was changed; send it again with \"confirm\": \"<the cluster's name>\"");
                case NOT_NOW, NOT_LEADER ->
                    refusal(HttpResponseStatus.SERVICE_UNAVAILABLE, outcome.words(), "ask again in a few seconds");
            };
        });
    }

    private CompletableFuture<Answer> found(byte[] body, Caller caller) {
        BootstrapRequest wanted;
        try {
            wanted = BootstrapRequest.parse(body);
        } catch (Fields.Malformed e) {
            return CompletableFuture.completedFuture(refusal(
                    HttpResponseStatus.BAD_REQUEST, String.valueOf(e.getMessage()), "send {\"cluster\": \"<uid>\"}"));
        }
        return founder.found(wanted.cluster(), caller.name()).handle((outcome, failed) -> {
            if (failed != null) {
                LOGGER.atError().setCause(failed).log("a cluster could not be founded");
                return refusal(
                        HttpResponseStatus.INTERNAL_SERVER_ERROR,
                        "the cluster could not be founded",
                        "see the log of this node");
            }
            return answer(outcome);
        });
    }

    private CompletableFuture<Answer> switchOver(byte[] body, Caller caller) {
        Switchovers.Wanted wanted;
        try {
            wanted = SwitchoverOrder.parse(body);
        } catch (Fields.Malformed e) {
            return CompletableFuture.completedFuture(refusal(
                    HttpResponseStatus.BAD_REQUEST,
                    String.valueOf(e.getMessage()),
                    "send {\"target\": \"node2\", \"timeout\": \"30s\"}, or nothing for the best node"));
        }
        return switchovers.begin(wanted, caller.name()).handle((begun, failed) -> {
            if (failed != null) {
                LOGGER.atError().setCause(failed).log("a switchover could not be asked for");
                return refusal(
                        HttpResponseStatus.INTERNAL_SERVER_ERROR,
                        "the switchover could not be asked for",
                        "see the log of this node");
            }
            String words = begun.outcome().words();
            return switch (begun.outcome().verdict()) {
                case ACCEPTED ->
                    new Answer(HttpResponseStatus.ACCEPTED, Json.bytes(new SwitchoverBody(begun.report())));
                case REFUSED, UNCONFIRMED ->
                    refusal(HttpResponseStatus.CONFLICT, words, "nothing was changed; see /cluster/nodes");
                case NOT_NOW -> refusal(HttpResponseStatus.SERVICE_UNAVAILABLE, words, "ask again in a few seconds");
                case NOT_LEADER ->
                    refusal(
                            HttpResponseStatus.SERVICE_UNAVAILABLE,
                            words + "; the switchover may have been begun",
                            "GET this path to see what became of it");
            };
        });
    }

    private static Answer answer(Founder.Outcome outcome) {
        return switch (outcome) {
            case Founder.Outcome.Exists(String id, long system, boolean founded) ->
                new Answer(
                        HttpResponseStatus.OK,
                        Json.bytes(new BootstrapBody(id, Long.toUnsignedString(system), founded)));
            case Founder.Outcome.Underway() ->
                new Answer(HttpResponseStatus.ACCEPTED, Json.bytes(new BootstrapBody("", "", false)));
            case Founder.Outcome.Refused(String why, String hint) -> refusal(HttpResponseStatus.CONFLICT, why, hint);
            case Founder.Outcome.NotYet(String why) ->
                refusal(HttpResponseStatus.SERVICE_UNAVAILABLE, why, "ask again in a few seconds");
        };
    }

    static Answer refusal(HttpResponseStatus status, String error, String hint) {
        return new Answer(status, Json.bytes(new ErrorBody(error, hint)));
    }
}
