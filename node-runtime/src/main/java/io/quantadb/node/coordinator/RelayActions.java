package io.quantadb.node.coordinator;

import static io.quantadb.node.common.LogKeys.EPOCH;
import static io.quantadb.node.common.LogKeys.REPLICATION;

import io.quantadb.node.cluster.Action;
import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.Member;
import io.quantadb.node.cluster.MemberKind;
import io.quantadb.node.cluster.Position;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.relay.WalRelay;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Carries out what the core asks of the WAL relay, which answers with events by itself. Core thread only. */
final class RelayActions {
    private static final Logger LOGGER = LoggerFactory.getLogger(RelayActions.class);

    private final WalRelay relay;
    private final Supplier<ClusterState> state;
    private Map<NodeId, Long> admitted = Map.of();
    private Set<NodeId> readReplicas = Set.of();

    RelayActions(WalRelay relay, Supplier<ClusterState> state) {
        this.relay = relay;
        this.state = state;
    }

    /** To be told of a new state before the actions that it caused: who is no member any more must not be served. */
    void onState(ClusterState next) {
        Map<NodeId, Long> members = new TreeMap<>();
        Set<NodeId> replicas = new TreeSet<>();
        next.members().forEach((node, m) -> {
            members.put(node, m.peer().incarnation());
            if (m.kind() == MemberKind.READ_REPLICA) {
                replicas.add(node);
            }
        });
        if (!replicas.equals(readReplicas)) {
            readReplicas = replicas;
            relay.readReplicas(replicas);
        }
        if (!members.equals(admitted)) {
            admitted = members;
            relay.admit(members);
        }
    }

    /** False when the action is not the relay's. */
    boolean perform(Action action) {
        switch (action) {
            case Action.Follow(NodeId upstream, long epoch, long generation, Position checked) -> {
                Member member = state.get().member(upstream);
                if (member == null) {
                    LOGGER.atWarn()
                            .addMarker(REPLICATION)
                            .addKeyValue("upstream", upstream)
                            .addKeyValue(EPOCH, epoch)
                            .log("told to follow a node that is no member; waiting for the state to catch up");
                } else {
                    boolean primary = upstream.equals(state.get().primary());
                    relay.follow(upstream, member.addresses().replication(), epoch, generation, checked, primary);
                }
            }
            case Action.StopFollowing() -> relay.stopFollowing();
            case Action.CloseStreamsBelow(long epoch) -> relay.closeBelow(epoch);
            case Action.ServeStreams(long epoch) -> relay.serve(epoch);
            case Action.ServeFetch(NodeId to, long epoch) -> relay.serveFetch(to, epoch);
            case Action.FeedMembers(long epoch, Set<NodeId> members) -> relay.feed(epoch, members);
            case Action.KeepOnlyStream(NodeId of) -> relay.keepOnly(of);
            case Action.OpenVoice() -> relay.openVoice();
            case Action.CloseVoice() -> relay.closeVoice();
            case Action.SetPermit(var permit) -> relay.setPermit(permit);
            default -> {
                return false;
            }
        }
        return true;
    }
}
