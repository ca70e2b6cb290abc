package io.quantadb.node.consensus;

import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import io.quantadb.node.raft.MembershipChange;
import io.quantadb.node.raft.RaftConfig;
import io.quantadb.node.transport.PeerNetwork;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;

/** A RaftNode whose state machine is the list of commands that it applied. */
final class TestingNode implements AutoCloseable {
    final List<String> applied = new CopyOnWriteArrayList<>();
    final List<Throwable> faults = new CopyOnWriteArrayList<>();
    final PeerId self;
    final RaftNode raft;
    private final PeerNetwork network;
    private final ControlDispatcher dispatcher;

    TestingNode(Path directory, String name, long incarnation, TestingPeerNetwork net, RaftConfig config) {
        this(directory, name, incarnation, net, config, 42);
    }

    TestingNode(
            Path directory, String name, long incarnation, TestingPeerNetwork net, RaftConfig config, long cluster) {
        self = new PeerId(new NodeId(name), incarnation);
        network = net.of(self.node());
        dispatcher = new ControlDispatcher(network);
        raft = new RaftNode(
                new RaftNodeConfig(directory, self, cluster, config),
                dispatcher,
                new StateMachine() {
                    @Override
                    public void apply(long index, long term, byte[] command) {
                        applied.add(new String(command, StandardCharsets.UTF_8));
                    }

                    @Override
                    public byte[] snapshot() {
                        return String.join(",", applied).getBytes(StandardCharsets.UTF_8);
                    }

                    @Override
                    public void restore(long index, byte[] state) {
                        applied.clear();
                        applied.addAll(List.of(new String(state, StandardCharsets.UTF_8).split(",")));
                    }
                },
                new RaftListener() {
                    @Override
                    public void onChanged(RaftStatus status) {}

                    @Override
                    public void onLease(long untilNanos) {}

                    @Override
                    public void onTick(long nowNanos) {}

                    @Override
                    public void onRegressed(PeerId peer) {}

                    @Override
                    public void onFault(Throwable fault) {
                        faults.add(fault);
                    }
                },
                System::nanoTime,
                new SplittableRandom(name.hashCode()));
    }

    TestingNode start() {
        raft.start();
        dispatcher.start();
        return this;
    }

    boolean leads() {
        RaftStatus s = raft.status();
        return s.isLeader() && s.ownTermApplied();
    }

    boolean hasLease() {
        return raft.leaseUntilNanos() - System.nanoTime() > 0;
    }

    CompletableFuture<ProposalOutcome> propose(String command) {
        return call(done -> {
            raft.propose(command.getBytes(StandardCharsets.UTF_8), done::complete);
            return null;
        });
    }

    CompletableFuture<ProposalOutcome> change(MembershipChange change) {
        return call(done -> {
            raft.changeMembership(change, done::complete);
            return null;
        });
    }

    CompletableFuture<ProposalOutcome> transfer(PeerId target) {
        return call(done -> {
            done.complete(raft.transfer(target));
            return null;
        });
    }

    CompletableFuture<ProposalOutcome> readIndex() {
        return call(done -> {
            raft.readIndex(done::complete);
            return null;
        });
    }

    private CompletableFuture<ProposalOutcome> call(Function<CompletableFuture<ProposalOutcome>, Void> work) {
        CompletableFuture<ProposalOutcome> done = new CompletableFuture<>();
        if (!raft.execute(() -> work.apply(done))) {
            done.complete(new ProposalOutcome.Busy("inbox"));
        }
        return done;
    }

    @Override
    public void close() {
        network.close();
        raft.close();
    }
}
