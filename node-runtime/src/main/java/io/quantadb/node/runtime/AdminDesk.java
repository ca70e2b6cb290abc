package io.quantadb.node.runtime;

import static io.quantadb.node.common.LogKeys.CLUSTER;

import io.quantadb.node.api.Administrator;
import io.quantadb.node.api.ApiServer;
import io.quantadb.node.cluster.Action;
import io.quantadb.node.cluster.AdminCodec;
import io.quantadb.node.cluster.AdminRequest;
import io.quantadb.node.cluster.Event;
import io.quantadb.node.common.MonotonicClock;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.consensus.ControlDispatcher;
import io.quantadb.node.coordinator.AdminAnswers;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings an operator's request to the leader, from whichever node it was asked of: to this node's decision core first,
 * and where that says who leads, to that node over the control connection. Asked again while nobody leads, a failover is
 * under way or an answer was lost, for {@link #PATIENCE} in all; every request may be asked twice without harm.
 *
 * <p>At most {@value #WAITING_MAX} questions wait at a time, each no longer than {@link #ANSWER_WITHIN}. Any thread.
 */
final class AdminDesk implements Administrator, AdminAnswers {
    static final int WAITING_MAX = 64;
    static final Duration PATIENCE = ApiServer.CHANGE_DEADLINE.dividedBy(2);
    private static final Duration ANSWER_WITHIN = Duration.ofSeconds(1);
    private static final Duration PAUSE = Duration.ofMillis(200);
    private static final Logger LOGGER = LoggerFactory.getLogger(AdminDesk.class);

    /** Queues bytes for another node; false when that is not connected. */
    @FunctionalInterface
    interface Post {
        boolean send(NodeId to, byte[] bytes);
    }

    private static final Outcome NO_ANSWER = new Outcome(Action.AdminVerdict.NOT_LEADER, "");

    private final MonotonicClock clock;
    private final Map<Long, CompletableFuture<Outcome>> waiting = new ConcurrentHashMap<>();
    private final AtomicLong lastId = new AtomicLong();
    private volatile @Nullable Consumer<Event> core;
    private volatile @Nullable Post network;

    AdminDesk(MonotonicClock clock) {
        this.clock = clock;
    }

    /** From here on requests can be decided, those of other nodes too. */
    void attach(Consumer<Event> post, ControlDispatcher peers) {
        peers.register(ControlDispatcher.ADMIN, (from, payload, at) -> onMessage(from, payload));
        attach(post, (NodeId to, byte[] bytes) -> peers.send(to, ControlDispatcher.ADMIN, bytes));
    }

    void attach(Consumer<Event> post, Post peers) {
        network = peers;
        core = post;
    }

    @Override
    public CompletableFuture<Outcome> ask(AdminRequest request, String caller) {
        LOGGER.atInfo()
                .addMarker(CLUSTER)
                .addKeyValue("request", request)
                .addKeyValue("caller", caller)
                .log("an operator asks for a change");
        return attempt(request, clock.nanos() + PATIENCE.toNanos());
    }

    private CompletableFuture<Outcome> attempt(AdminRequest request, long until) {
        return here(request)
                .thenCompose(own -> {
                    boolean elsewhere = own.verdict() == Action.AdminVerdict.NOT_LEADER
                            && !own.words().isEmpty();
                    return elsewhere ? there(new NodeId(own.words()), request) : CompletableFuture.completedFuture(own);
                })
                .thenCompose(outcome -> {
                    boolean again = outcome.verdict() == Action.AdminVerdict.NOT_LEADER
                            || outcome.verdict() == Action.AdminVerdict.NOT_NOW;
                    if (!again) {
                        return CompletableFuture.completedFuture(outcome);
                    }
                    if (clock.nanos() - until >= 0) {
                        return CompletableFuture.completedFuture(
                                outcome.verdict() == Action.AdminVerdict.NOT_NOW
                                        ? outcome
                                        : new Outcome(Action.AdminVerdict.NOT_LEADER, "no leader answers"));
                    }
                    return CompletableFuture.supplyAsync(
                                    () -> request,
                                    CompletableFuture.delayedExecutor(PAUSE.toMillis(), TimeUnit.MILLISECONDS))
                            .thenCompose(same -> attempt(same, until));
                });
    }

    /** What this node's decision core says. */
    private CompletableFuture<Outcome> here(AdminRequest request) {
        Consumer<Event> post = core;
        return post == null
                ? CompletableFuture.completedFuture(
                        new Outcome(Action.AdminVerdict.REFUSED, "this node is no member of a cluster yet"))
                : question(id -> {
                    post.accept(new Event.AdminAsked(id, request));
                    return true;
                });
    }

    private CompletableFuture<Outcome> there(NodeId leader, AdminRequest request) {
        Post peers = network;
        return peers == null
                ? CompletableFuture.completedFuture(NO_ANSWER)
                : question(id -> peers.send(leader, AdminCodec.encode(new AdminCodec.Question(id, request))));
    }

    private interface Sender {
        boolean send(long id);
    }

    private CompletableFuture<Outcome> question(Sender sender) {
        if (waiting.size() >= WAITING_MAX) {
            return CompletableFuture.completedFuture(
                    new Outcome(Action.AdminVerdict.NOT_NOW, "too many requests wait for an answer"));
        }
        long id = lastId.incrementAndGet();
        CompletableFuture<Outcome> answer = new CompletableFuture<>();
        waiting.put(id, answer);
        CompletableFuture<Outcome> ended = answer.completeOnTimeout(
                        NO_ANSWER, ANSWER_WITHIN.toMillis(), TimeUnit.MILLISECONDS)
                .whenComplete((outcome, failed) -> waiting.remove(id));
        if (!sender.send(id)) {
            answer.complete(NO_ANSWER);
        }
        return ended;
    }

    @Override
    public void answer(Action.AdminAnswer answer) {
        CompletableFuture<Outcome> asked = waiting.get(answer.requestId());
        if (asked != null) {
            asked.complete(new Outcome(answer.verdict(), answer.words()));
        }
    }

    /** A question of another node, or its answer to one of ours. What cannot be read comes from another release. */
    void onMessage(NodeId from, byte[] payload) {
        AdminCodec.Message message;
        try {
            message = AdminCodec.decode(payload);
        } catch (IllegalArgumentException e) {
            LOGGER.atWarn().addKeyValue("peer", from).log("a request was not understood: " + e.getMessage());
            return;
        }
        switch (message) {
            case AdminCodec.Question(long id, AdminRequest request) -> {
                var _ = here(request).thenAccept(outcome -> {
                    Post peers = network;
                    if (peers != null) {
                        peers.send(
                                from, AdminCodec.encode(new AdminCodec.Answer(id, outcome.verdict(), outcome.words())));
                    }
                });
            }
            case AdminCodec.Answer(long id, Action.AdminVerdict verdict, String words) ->
                answer(new Action.AdminAnswer(id, verdict, words));
        }
    }
}
