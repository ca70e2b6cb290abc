package io.quantadb.node.coordinator;

import io.quantadb.node.cluster.Action;
import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.Command;
import io.quantadb.node.cluster.CommandCodec;
import io.quantadb.node.cluster.CoordCodec;
import io.quantadb.node.cluster.CoordMessage;
import io.quantadb.node.cluster.Event;
import io.quantadb.node.cluster.Member;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.consensus.ControlDispatcher;
import io.quantadb.node.consensus.ProposalOutcome;
import io.quantadb.node.consensus.RaftNode;
import io.quantadb.node.raft.MembershipChange;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Carries out what the core asks of Raft and of other nodes. Core thread only. */
final class PeerActions {
    private static final Logger LOGGER = LoggerFactory.getLogger(PeerActions.class);

    private final NodeId self;
    private final RaftNode raft;
    private final ControlDispatcher network;
    private final Supplier<ClusterState> state;
    private final JoinDesk joins;
    private final AdminAnswers admin;

    PeerActions(
            NodeId self,
            RaftNode raft,
            ControlDispatcher network,
            Supplier<ClusterState> state,
            JoinDesk joins,
            AdminAnswers admin) {
        this.self = self;
        this.raft = raft;
        this.network = network;
        this.state = state;
        this.joins = joins;
        this.admin = admin;
    }

    /** False when the action is not one of these. */
    boolean perform(Action action, Coordinator core) {
        switch (action) {
            case Action.Propose(Command command) ->
                raft.propose(CommandCodec.encode(command, state.get().clusterVersion()), outcome -> {
                    if (!(outcome instanceof ProposalOutcome.Committed)) {
                        core.handle(new Event.ProposalFailed(command));
                    }
                });
            case Action.TransferLeadership(NodeId to) -> {
                Member member = state.get().member(to);
                if (member != null) {
                    raft.transfer(member.peer());
                }
            }
            case Action.AddLearner(var peer) -> change(new MembershipChange.AddLearner(peer));
            case Action.PromoteToVoter(var peer) -> change(new MembershipChange.PromoteToVoter(peer));
            case Action.DemoteToLearner(var peer) -> change(new MembershipChange.DemoteToLearner(peer));
            case Action.RemovePeer(var peer) -> change(new MembershipChange.Remove(peer));
            case Action.Send(NodeId to, CoordMessage message) -> send(core, to, message);
            case Action.JoinAnswer answer -> joins.answer(answer);
            case Action.AdminAnswer answer -> admin.answer(answer);
            default -> {
                return false;
            }
        }
        return true;
    }

    private void send(Coordinator core, NodeId to, CoordMessage message) {
        if (to.equals(self)) {
            core.handle(new Event.Received(self, message));
        } else {
            // Not delivered is as good as lost on the way: every exchange repeats itself.
            network.send(to, ControlDispatcher.COORD, CoordCodec.encode(message));
        }
    }

    private void change(MembershipChange change) {
        raft.changeMembership(change, outcome -> {
            if (!(outcome instanceof ProposalOutcome.Committed)) {
                LOGGER.atDebug()
                        .addKeyValue("change", change)
                        .addKeyValue("outcome", outcome)
                        .log("membership change not done");
            }
        });
    }
}
