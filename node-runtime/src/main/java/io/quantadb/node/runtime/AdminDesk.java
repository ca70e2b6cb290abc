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
 * under way or an answer was lost, for {@link #PATIENCE} in all.
 *
 * <p>A request that is held up on its way must not be carried out later, when its asker has asked again or given up, and
 * somebody has asked for something else since. So the leader's node is asked for a turn first, which says when by its own
 * clock that was, and takes the request with it only within {@link #TURN}: less than an answer is waited for, so whoever
 * gives a question up knows that it is carried out by then or never.
 *
 * <p>At most {@value #WAITING_MAX} questions wait at a time, each no longer than {@link #ANSWER_WITHIN}. Any thread.
 */
final class AdminDesk implements Administrator, AdminAnswers {
    static final int WAITING_MAX = 64;
    static final Duration PATIENCE = ApiServer.CHANGE_DEADLINE.dividedBy(2);
    private static final Duration ANSWER_WITHIN = Duration.ofSeconds(1);
    /** A request comes that soon after its asker was given its turn, or is not taken. */
    static final Duration TURN = Duration.ofMillis(600);

    private static final Duration PAUSE = Duration.ofMillis(200);
    private static final Logger LOGGER = LoggerFactory.getLogger(AdminDesk.class);

    /** Queues bytes for another node; false when that is not connected. */
    @FunctionalInterface
    interface Post {
        boolean send(NodeId to, byte[] bytes);
    }

    private static final Outcome NO_ANSWER = new Outcome(Action.AdminVerdict.NOT_LEADER, "");

    /** What comes back: a turn, or what became of the request. */
    private record Reply(@Nullable Long turn, Outcome outcome) {}

    private final MonotonicClock clock;
    private final Map<Long, CompletableFuture<Reply>> waiting = new ConcurrentHashMap<>();
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
                        })
                        .thenApply(Reply::outcome);
    }

    private CompletableFuture<Outcome> there(NodeId leader, AdminRequest request) {
        Post peers = network;
        return peers == null
                ? CompletableFuture.completedFuture(NO_ANSWER)
                : question(id -> peers.send(leader, AdminCodec.encode(new AdminCodec.TurnAsked(id))))
                        .thenCompose(given -> {
                            Long turn = given.turn();
                            return turn == null
                                    ? CompletableFuture.completedFuture(given)
                                    : question(id -> peers.send(
                                            leader,
                                            AdminCodec.encode(new AdminCodec.InTurn(
                                                    turn, new AdminCodec.Question(id, request)))));
                        })
                        .thenApply(Reply::outcome);
    }

    private interface Sender {
        boolean send(long id);
    }

    private CompletableFuture<Reply> question(Sender sender) {
        if (waiting.size() >= WAITING_MAX) {
            return CompletableFuture.completedFuture(
                    new Reply(null, new Outcome(Action.AdminVerdict.NOT_NOW, "too many requests wait for an answer")));
        }
        long id = lastId.incrementAndGet();
        CompletableFuture<Reply> answer = new CompletableFuture<>();
        waiting.put(id, answer);
        CompletableFuture<Reply> ended = answer.completeOnTimeout(
                        new Reply(null, NO_ANSWER), ANSWER_WITHIN.toMillis(), TimeUnit.MILLISECONDS)
                .whenComplete((outcome, failed) -> waiting.remove(id));
        if (!sender.send(id)) {
            answer.complete(new Reply(null, NO_ANSWER));
        }
        return ended;
    }

    @Override
    public void answer(Action.AdminAnswer answer) {
        settle(answer.requestId(), new Reply(null, new Outcome(answer.verdict(), answer.words())));
    }

    private void settle(long id, Reply reply) {
        CompletableFuture<Reply> asked = waiting.get(id);
        if (asked != null) {
            asked.complete(reply);
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
            case AdminCodec.InTurn(long turn, AdminCodec.Question question) -> onQuestion(from, turn, question);
            case AdminCodec.Question question -> tooLate(from, question);
            case AdminCodec.TurnAsked(long id) -> post(from, new AdminCodec.Turn(id, clock.nanos()));
            case AdminCodec.Turn(long id, long turn) -> settle(id, new Reply(turn, NO_ANSWER));
            case AdminCodec.Answer(long id, Action.AdminVerdict verdict, String words) ->
                answer(new Action.AdminAnswer(id, verdict, words));
        }
    }

    private void post(NodeId to, AdminCodec.Message message) {
        Post peers = network;
        if (peers != null) {
            peers.send(to, AdminCodec.encode(message));
        }
    }

    private void onQuestion(NodeId from, long turn, AdminCodec.Question question) {
        long age = clock.nanos() - turn;
        if (age < 0 || age > TURN.toNanos()) {
            tooLate(from, question);
            return;
        }
        var _ = here(question.request())
                .thenAccept(outcome ->
                        post(from, new AdminCodec.Answer(question.id(), outcome.verdict(), outcome.words())));
    }

    /** Whoever asked does not wait for it any more. */
    private static void tooLate(NodeId from, AdminCodec.Question question) {
        LOGGER.atInfo()
                .addMarker(CLUSTER)
                .addKeyValue("request", question.request())
                .addKeyValue("peer", from)
                .log("a request came too late and is not carried out");
    }
}
