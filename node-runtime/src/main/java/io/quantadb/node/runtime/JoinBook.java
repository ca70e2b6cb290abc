package io.quantadb.node.runtime;

import io.quantadb.node.cluster.Action;
import io.quantadb.node.cluster.Addresses;
import io.quantadb.node.cluster.ClusterVersion;
import io.quantadb.node.cluster.Event;
import io.quantadb.node.cluster.MemberKind;
import io.quantadb.node.common.MonotonicClock;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import io.quantadb.node.coordinator.JoinDesk;
import io.quantadb.node.transport.PeerStreams;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Answers HELLO streams from what this node knows, and carries JOIN streams to the decision core and its answers back.
 * At most {@value #WAITING_MAX} joins wait at a time, each no longer than {@link #ANSWER_WITHIN}: an answer that was
 * lost, or a question that never reached the core, must not take a place for ever. Any thread.
 */
final class JoinBook implements JoinDesk {
    static final int WAITING_MAX = 64;
    /** More than the core ever takes, and less than the transport allows for a verdict. */
    static final Duration ANSWER_WITHIN = Duration.ofSeconds(10);

    private record Waiting(PeerStreams.Verdict verdict, long askedNanos) {}

    private final Supplier<Greeting> self;
    private final MonotonicClock clock;
    private final Map<Long, Waiting> waiting = new ConcurrentHashMap<>();
    private final AtomicLong lastId = new AtomicLong();
    private volatile @Nullable Consumer<Event> core;
    private volatile @Nullable Consumer<Greeting> greeted;

    /** @param self this node's greeting as it would be said now */
    JoinBook(Supplier<Greeting> self, MonotonicClock clock) {
        this.self = self;
        this.clock = clock;
    }

    /** From here on joins can be decided on this node. */
    void attach(Consumer<Event> post) {
        core = post;
    }

    /** Told what others say of themselves when they say hello; on any thread. */
    void watch(Consumer<Greeting> listener) {
        greeted = listener;
    }

    void onHello(PeerStreams.Incoming incoming, PeerStreams.Verdict verdict) {
        Consumer<Greeting> listener = greeted;
        if (listener != null) {
            try {
                listener.accept(Greeting.decode(incoming.header()));
            } catch (IllegalArgumentException e) {
                // It is answered all the same: what it wants to know stands in the answer.
            }
        }
        verdict.accept(self.get().encode(), channel -> channel.config().setAutoRead(true));
    }

    void onJoin(PeerStreams.Incoming incoming, PeerStreams.Verdict verdict) {
        ask(
                incoming,
                verdict,
                (id, a) -> new Event.JoinAsked(
                        id, a.peer(), a.kind(), a.addresses(), a.zone(), a.priority(), a.upstream(), a.reads()));
    }

    /** A member says where it is by now. */
    void onMoved(PeerStreams.Incoming incoming, PeerStreams.Verdict verdict) {
        ask(incoming, verdict, (id, a) -> new Event.MemberTold(id, a.peer(), a.addresses(), a.zone(), a.priority()));
    }

    /** Has this node's own core decide, where it is the leader itself; its answer is nobody's. */
    void post(Event event) {
        Consumer<Event> post = core;
        if (post != null) {
            post.accept(event);
        }
    }

    private record Asking(
            PeerId peer,
            MemberKind kind,
            Addresses addresses,
            String zone,
            int priority,
            @Nullable NodeId upstream,
            int reads) {}

    private interface Question {
        Event of(long id, Asking asking);
    }

    private void ask(PeerStreams.Incoming incoming, PeerStreams.Verdict verdict, Question question) {
        Consumer<Event> post = core;
        if (post == null) {
            verdict.refuse("WAIT", "this node is no member of a cluster yet");
            return;
        }
        dropOverdue();
        if (waiting.size() >= WAITING_MAX) {
            verdict.refuse("WAIT", "too many nodes ask to be let in at once");
            return;
        }
        Greeting asking;
        MemberKind kind;
        int priority;
        int reads;
        @Nullable NodeId upstream;
        try {
            asking = Greeting.decode(incoming.header());
            kind = MemberKind.valueOf(asking.extra().getOrDefault("kind", "DATA"));
            priority = Integer.parseInt(asking.extra().getOrDefault("priority", "100"));
            reads = Integer.parseInt(
                    asking.extra().getOrDefault(Greeting.READS, Integer.toString(ClusterVersion.OLDEST)));
            String fedBy = asking.extra().getOrDefault("upstream", "");
            upstream = fedBy.isEmpty() ? null : new NodeId(fedBy);
        } catch (IllegalArgumentException e) {
            verdict.refuse(Formation.REJECTED, "the request cannot be read: " + e.getMessage());
            return;
        }
        NodeId node = asking.node();
        Addresses addresses = asking.members().get(node);
        if (!node.equals(incoming.peer()) || addresses == null || asking.incarnation() == 0) {
            verdict.refuse(
                    Formation.REJECTED,
                    "the request is for node %s, and its certificate is for %s".formatted(node, incoming.peer()));
            return;
        }
        long id = lastId.incrementAndGet();
        waiting.put(id, new Waiting(verdict, clock.nanos()));
        post.accept(question.of(
                id,
                new Asking(
                        new PeerId(node, asking.incarnation()),
                        kind,
                        addresses,
                        asking.extra().getOrDefault("zone", ""),
                        priority,
                        upstream,
                        reads)));
    }

    private void dropOverdue() {
        long now = clock.nanos();
        waiting.forEach((id, w) -> {
            if (now - w.askedNanos() >= ANSWER_WITHIN.toNanos() && waiting.remove(id, w)) {
                w.verdict().refuse("WAIT", "the cluster gave no answer in time; ask again");
            }
        });
    }

    @Override
    public void answer(Action.JoinAnswer answer) {
        Waiting asked = waiting.remove(answer.requestId());
        if (asked == null) {
            return;
        }
        PeerStreams.Verdict verdict = asked.verdict();
        switch (answer.verdict()) {
            case ACCEPTED ->
                verdict.accept(self.get().encode(), channel -> channel.config().setAutoRead(true));
            case WAIT, NOT_LEADER -> verdict.refuse(answer.verdict().name(), answer.words());
            case ID_IN_USE, SPENT -> verdict.refuse(answer.verdict().name(), answer.words());
            case REFUSED -> verdict.refuse(Formation.REJECTED, answer.words());
        }
    }
}
