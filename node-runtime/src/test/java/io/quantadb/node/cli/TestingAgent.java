package io.quantadb.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quantadb.node.api.ApiServer;
import io.quantadb.node.api.ClusterView;
import io.quantadb.node.api.ClusterView.Health;
import io.quantadb.node.api.ClusterView.Member;
import io.quantadb.node.api.ClusterView.Raft;
import io.quantadb.node.api.ClusterView.RaftState;
import io.quantadb.node.api.ClusterView.Role;
import io.quantadb.node.api.ClusterView.State;
import io.quantadb.node.cluster.Addresses;
import io.quantadb.node.cluster.MemberKind;
import io.quantadb.node.cluster.Settings;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * Stands for an agent in tests of the demo: answers the API as one of three nodes that are all well, with a process
 * that stands for PostgreSQL in its data directory. Ends with status 3 when its folder holds a file named fail, and does
 * not stream while one holds a file named stuck.
 */
public final class TestingAgent {
    private TestingAgent() {}

    public static void main(String[] args) throws Exception {
        Path settings = Path.of(args[1]);
        JsonNode config = new ObjectMapper().readTree(Files.readString(settings));
        Path folder = settings.getParent();
        if (Files.exists(folder.resolve("fail"))) {
            System.out.println("quantadb: port 5432 is taken; choose another");
            System.exit(3);
        }
        Path data = Files.createDirectories(folder.resolve("data").resolve("postgres"));
        Process postgres = new ProcessBuilder("sh", "-c", "sleep 120 & sleep 120; true")
                .directory(data.toFile())
                .start();
        Files.writeString(data.resolve("postmaster.pid"), postgres.pid() + "\n" + data + "\n");
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            postgres.descendants().forEach(ProcessHandle::destroyForcibly);
            postgres.destroyForcibly();
        }));
        List<DemoNode> nodes = DemoState.read(folder.getParent()).orElseThrow().nodes();
        NodeId self = new NodeId(config.at("/cluster/node_id").asText());
        ApiServer api = new ApiServer("127.0.0.1", config.path("api_port").asInt(), () -> view(self, nodes));
        api.start();
        Thread.currentThread().join();
    }

    private static ClusterView view(NodeId self, List<DemoNode> nodes) {
        NodeId first = nodes.getFirst().id();
        List<Member> members = new ArrayList<>();
        for (DemoNode node : nodes) {
            boolean primary = node.id().equals(first);
            boolean stuck = isStuck(node);
            members.add(new Member(
                    node.id(),
                    MemberKind.DATA,
                    primary ? Role.PRIMARY : Role.REPLICA,
                    stuck ? State.CONNECTING : primary ? State.ACTIVE : State.STREAMING,
                    stuck ? Health.UNKNOWN : Health.HEALTHY,
                    true,
                    !primary,
                    false,
                    false,
                    addresses(node),
                    1,
                    1,
                    1,
                    new Lsn(12345),
                    0,
                    0,
                    0,
                    100,
                    ""));
        }
        boolean stuck = nodes.stream().anyMatch(n -> n.id().equals(self) && isStuck(n));
        State state = self.equals(first) ? State.ACTIVE : State.STREAMING;
        return new ClusterView(
                self,
                Instant.EPOCH,
                1,
                self.equals(first) ? Role.PRIMARY : Role.REPLICA,
                stuck ? State.CONNECTING : state,
                addresses(nodes.getFirst()),
                new Raft(RaftState.FOLLOWER, 1, first, 1, 1),
                first,
                1,
                1,
                new Lsn(12345),
                "ANY 1 of (node2, node3)",
                Settings.DEFAULT,
                ClusterView.Membership.MEMBER,
                "9d4f6c1e2b7a8035",
                members,
                null,
                false,
                true,
                true,
                !stuck,
                stuck ? "not streaming from the primary" : "");
    }

    private static boolean isStuck(DemoNode node) {
        return Files.exists(node.folder().resolve("stuck"));
    }

    private static Addresses addresses(DemoNode node) {
        var p = node.ports();
        return new Addresses(at(p.sql()), at(p.replication()), at(p.raft()), at(p.api()), at(p.primary()));
    }

    private static HostPort at(int port) {
        return new HostPort("127.0.0.1", port);
    }
}
