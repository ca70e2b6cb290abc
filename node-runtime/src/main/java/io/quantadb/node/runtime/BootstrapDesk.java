package io.quantadb.node.runtime;

import static io.quantadb.node.common.LogKeys.CLUSTER;

import io.quantadb.node.api.ApiServer;
import io.quantadb.node.api.Founder;
import io.quantadb.node.coordinator.NodeFacts;
import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries a permission to found a cluster from the API to the thread that settles this node's identity, and its outcome
 * back. One permission at a time, and each is one attempt: nothing is remembered of one that was refused.
 *
 * <p>A cluster that was founded so is called {@code <uid>.<16 hexadecimal digits>}: the uid is remembered wherever the
 * cluster is known, and a second founding with the same uid (all volumes were lost) is another cluster all the same.
 *
 * <p>Asked on any thread; {@link #next} and {@link #settled} belong to the starting one.
 */
final class BootstrapDesk implements Founder {
    private static final Logger LOGGER = LoggerFactory.getLogger(BootstrapDesk.class);
    private static final Duration ANSWER = ApiServer.CHANGE_DEADLINE.minusSeconds(1);

    /** A permission that waits to be used, or to be refused. */
    record Attempt(String uid, CompletableFuture<Outcome> outcome) {}

    private final boolean auto;
    private final BlockingQueue<Attempt> attempts = new ArrayBlockingQueue<>(1);
    private volatile String founding = "";
    private volatile @Nullable NodeFacts member;

    /** @param auto whether this node waits for a permission at all */
    BootstrapDesk(boolean auto) {
        this.auto = auto;
    }

    /** The uid under which a cluster is being founded here, empty when none is; other nodes are told so. */
    String founding() {
        return founding;
    }

    void founding(String uid) {
        founding = uid;
    }

    @Override
    public CompletableFuture<Outcome> found(String uid, String caller) {
        NodeFacts facts = member;
        if (facts != null) {
            LOGGER.atInfo()
                    .addMarker(CLUSTER)
                    .addKeyValue("cluster", facts.clusterId())
                    .addKeyValue("caller", caller)
                    .log("a permission to found a cluster is ignored: this disk belongs to a cluster already");
            return CompletableFuture.completedFuture(known(uid, facts.clusterId(), facts.systemIdentifier(), false));
        }
        if (!auto) {
            return CompletableFuture.completedFuture(new Outcome.Refused(
                    "this node is not told to wait for a permission", "set its cluster.mode to auto"));
        }
        LOGGER.atInfo()
                .addMarker(CLUSTER)
                .addKeyValue("uid", uid)
                .addKeyValue("caller", caller)
                .log("permitted to found a cluster");
        Attempt attempt = new Attempt(uid, new CompletableFuture<>());
        if (!attempts.offer(attempt)) {
            return CompletableFuture.completedFuture(
                    new Outcome.NotYet("another permission is being looked at by this node"));
        }
        return attempt.outcome().completeOnTimeout(new Outcome.Underway(), ANSWER.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** What to answer when this cluster is known, here or by a peer. */
    static Outcome known(String uid, String clusterId, long systemIdentifier, boolean founded) {
        return clusterId.startsWith(uid + ".")
                ? new Outcome.Exists(clusterId, systemIdentifier, founded)
                : new Outcome.Refused(
                        "this node or a peer belongs to cluster %s, which is not %s".formatted(clusterId, uid),
                        "founding another needs empty disks on every listed node");
    }

    /** The permission that waits, or null when none comes within the pause. */
    @Nullable
    Attempt next(Duration pause) throws InterruptedException {
        return attempts.poll(pause.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** From here on this node knows its cluster, and answers by itself. */
    void settled(NodeFacts facts) {
        member = facts;
        founding = "";
        Attempt late = attempts.poll();
        if (late != null) {
            late.outcome().complete(known(late.uid(), facts.clusterId(), facts.systemIdentifier(), false));
        }
    }
}
