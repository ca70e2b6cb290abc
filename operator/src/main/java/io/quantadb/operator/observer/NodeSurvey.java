package io.quantadb.operator.observer;

import io.quantadb.operator.model.ObservedCluster.MemberFacts;
import io.quantadb.operator.model.ObservedCluster.Membership;
import io.quantadb.operator.model.ObservedCluster.NodeReport;
import io.quantadb.operator.model.ObservedCluster.PodFacts;
import io.quantadb.operator.model.Ports;
import io.quantadb.operator.nodeapi.NodeAddress;
import io.quantadb.operator.nodeapi.NodeApi;
import io.quantadb.operator.nodeapi.StatusAnswer;
import java.io.IOException;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Asks all nodes at once how they are, and the best informed one (it serves, or knows the highest epoch) for the
 * members. Takes one deadline of the node API for the first, one more for the second.
 */
final class NodeSurvey {
    /** What they said. */
    record Result(Map<String, NodeReport> reports, List<MemberFacts> members) {
        static Result nothing() {
            return new Result(Map.of(), List.of());
        }
    }

    private final NodeApi api;

    NodeSurvey(NodeApi api) {
        this.api = api;
    }

    /** Asks every pod that has an address. */
    Result ask(List<PodFacts> pods) {
        List<PodFacts> reachable = pods.stream()
                .filter(pod -> !pod.address().isEmpty() && !pod.deleting())
                .toList();
        Map<String, NodeReport> reports = new HashMap<>();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Map<String, Future<NodeReport>> asked = new HashMap<>();
            for (PodFacts pod : reachable) {
                asked.put(pod.name(), threads.submit(() -> report(address(pod))));
            }
            asked.forEach((pod, report) -> reports.put(pod, result(report)));
        }
        return new Result(reports, members(reachable, reports));
    }

    static NodeAddress address(PodFacts pod) {
        return new NodeAddress(pod.name(), pod.address(), Ports.API.number());
    }

    private NodeReport report(NodeAddress node) {
        try {
            StatusAnswer status = api.status(node);
            boolean serving = status.node().serving() && status.node().lease();
            return new NodeReport.Answered(
                    membership(status.cluster()),
                    status.node().role(),
                    serving,
                    status.cluster().primary(),
                    status.failover().epoch(),
                    status.failover().reason(),
                    status.cluster().id());
        } catch (IOException e) {
            return new NodeReport.Silent(String.valueOf(e.getMessage()));
        }
    }

    /** Founding may rest on no answer but a plain one: not on that of an older node, nor on one with members and without. */
    private static Membership membership(StatusAnswer.Cluster cluster) {
        if (cluster.memberCount() > 0) {
            return Membership.MEMBER;
        }
        return switch (cluster.membership()) {
            case "NONE" -> Membership.NONE;
            case "STARTING", "MEMBER" -> Membership.STARTING;
            default -> Membership.UNKNOWN;
        };
    }

    private static NodeReport result(Future<NodeReport> report) {
        try {
            return report.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new NodeReport.Silent("the operator stops");
        } catch (ExecutionException e) {
            return new NodeReport.Silent("its answer could not be used: " + e.getCause());
        }
    }

    private List<MemberFacts> members(List<PodFacts> reachable, Map<String, NodeReport> reports) {
        return reachable.stream()
                .filter(pod -> reports.get(pod.name()) instanceof NodeReport.Answered a && a.formed())
                .max(Comparator.comparingLong(pod -> informed(reports.get(pod.name()))))
                .map(pod -> members(address(pod)))
                .orElse(List.of());
    }

    /** Higher is better informed. */
    private static long informed(@org.jspecify.annotations.Nullable NodeReport report) {
        return report instanceof NodeReport.Answered a ? 2 * a.epoch() + (a.serving() ? 1 : 0) : -1;
    }

    private List<MemberFacts> members(NodeAddress node) {
        try {
            return api.nodes(node).nodes().stream()
                    .map(m -> new MemberFacts(m.id(), m.role(), m.state(), m.voter(), m.health()))
                    .sorted(Comparator.comparing(MemberFacts::name))
                    .toList();
        } catch (IOException e) {
            return List.of();
        }
    }
}
