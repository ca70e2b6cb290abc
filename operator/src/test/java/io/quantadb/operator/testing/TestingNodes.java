package io.quantadb.operator.testing;

import io.quantadb.operator.nodeapi.FoundingAnswer;
import io.quantadb.operator.nodeapi.NodeAddress;
import io.quantadb.operator.nodeapi.NodeApi;
import io.quantadb.operator.nodeapi.NodesAnswer;
import io.quantadb.operator.nodeapi.StatusAnswer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;

/** Nodes that found a cluster when they are permitted to, and then serve it. */
public final class TestingNodes implements NodeApi {
    private final Collection<String> asked = new TreeSet<>();
    private final List<String> permissions = new ArrayList<>();
    private boolean founded;
    private boolean killedAfterFounding;

    /** The operator dies when the answer to the permission is on its way. */
    public void killOperatorAfterFounding() {
        killedAfterFounding = true;
    }

    /** The volumes are emptied. */
    public void forget() {
        founded = false;
    }

    /** Who was given the permission for which uid, in order. */
    public List<String> permissions() {
        return List.copyOf(permissions);
    }

    @Override
    public synchronized StatusAnswer status(NodeAddress node) throws IOException {
        asked.add(node.node());
        boolean primary = founded && node.node().endsWith("-0");
        String role = !founded ? "UNKNOWN" : primary ? "PRIMARY" : "REPLICA";
        return new StatusAnswer(
                new StatusAnswer.Node(node.node(), role, primary, primary),
                new StatusAnswer.Failover(founded ? 1 : 0, ""),
                new StatusAnswer.Cluster(
                        founded ? "orders-0" : "",
                        founded ? asked.size() : 0,
                        founded ? "MEMBER" : "NONE",
                        founded ? "uid.0123456789abcdef" : ""));
    }

    @Override
    public synchronized NodesAnswer nodes(NodeAddress node) {
        return new NodesAnswer(asked.stream()
                .map(id -> new NodesAnswer.Member(
                        id,
                        id.endsWith("-0") ? "PRIMARY" : "REPLICA",
                        id.endsWith("-0") ? "ACTIVE" : "STREAMING",
                        "healthy",
                        true))
                .toList());
    }

    @Override
    public FoundingAnswer found(NodeAddress node, String uid) {
        permissions.add(node.node() + " " + uid);
        founded = true;
        if (killedAfterFounding) {
            killedAfterFounding = false;
            throw new TestingKubernetes.Killed();
        }
        return new FoundingAnswer.Founded(uid + ".0123456789abcdef");
    }
}
