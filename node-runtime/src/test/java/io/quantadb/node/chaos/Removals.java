package io.quantadb.node.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import io.quantadb.node.cli.ClusterClient;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Members that were asked to leave: each is brought back, with an empty disk, once it is no member any more. A request
 * whose answer was lost may be carried out later, so it is remembered until everything has converged. Any thread.
 */
final class Removals {
    private final ChaosCluster cluster;
    private final Operator operator;
    /** The term at which a node was a member and then asked to leave: only what is known of a later time counts. */
    private final Map<Integer, Long> asked = new ConcurrentHashMap<>();

    private final AtomicBoolean taken = new AtomicBoolean();

    Removals(ChaosCluster cluster, Operator operator) {
        this.cluster = cluster;
        this.operator = operator;
    }

    /** One strike at a time, since the cluster lets one leave at a time. */
    ChaosCluster.Hold take() throws Strike.Skipped {
        if (!taken.compareAndSet(false, true)) {
            throw new Strike.Skipped("another member is being removed");
        }
        return () -> taken.set(false);
    }

    /** Asks for it. */
    void remove(int pick, int node) throws Strike.Skipped {
        ClusterClient.View view = leaders(0).orElseThrow(() -> new Strike.Skipped("no leader answers"));
        if (!isMember(view, node)) {
            throw new Strike.Skipped("it is no member");
        }
        cluster.spendMember();
        asked.put(node, term(view));
        try {
            operator.ask(
                    pick,
                    "/cluster/members/remove",
                    Operator.body().put("node", LinkPlan.id(node)).put("anyway", true));
        } catch (Operator.Refused e) {
            asked.remove(node);
            throw e;
        }
    }

    /** Starts it anew with an empty disk when it has left; whether it is a member as any other. */
    boolean bringBack(int node) throws IOException, InterruptedException {
        Long since = asked.get(node);
        if (since == null) {
            return true;
        }
        Optional<ClusterClient.View> view = leaders(since);
        if (view.isEmpty() || isMember(view.get(), node)) {
            return false;
        }
        cluster.kill(node);
        cluster.emptyDisk(node);
        asked.remove(node);
        cluster.ensureStarted(node);
        return true;
    }

    /** Nothing that was asked is still to come. */
    void forget() {
        asked.clear();
    }

    /** What a leader says of its own term, which is this one or a later. */
    private Optional<ClusterClient.View> leaders(long term) {
        return cluster.view()
                .filter(view ->
                        view.leader().equals(view.body().path("answered_by").asText()) && term(view) >= term);
    }

    private static long term(ClusterClient.View view) {
        return view.body().path("term").asLong();
    }

    private static boolean isMember(ClusterClient.View view, int node) {
        for (JsonNode member : view.body().path("nodes")) {
            if (member.path("id").asText().equals(LinkPlan.id(node))) {
                return true;
            }
        }
        return false;
    }
}
