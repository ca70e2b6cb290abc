package io.quantadb.node.consensus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.raft.MembershipChange;
import io.quantadb.node.raft.RaftConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Three real nodes with real disks over a network in memory. */
@Timeout(60)
class RaftNodeTest {
    private static final RaftConfig CONFIG = RaftConfig.DEFAULT.withLog(20, 5);
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    @TempDir
    Path directory;

    private final TestingPeerNetwork net = new TestingPeerNetwork();
    private final List<TestingNode> nodes = new ArrayList<>();

    @BeforeEach
    void formAGroupOfThree() {
        TestingNode first = node("a", 1);
        RaftNode.bootstrap(directory.resolve("a"), first.self);
        first.start();
        TestingNode second = node("b", 2).start();
        TestingNode third = node("c", 3).start();
        await().pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(5))
                .atMost(PATIENCE)
                .until(first::leads);
        for (TestingNode n : List.of(second, third)) {
            changed(first, new MembershipChange.AddLearner(n.self));
            changed(first, new MembershipChange.PromoteToVoter(n.self));
        }
    }

    @AfterEach
    void stop() {
        nodes.forEach(TestingNode::close);
    }

    @Test
    void appliesWhatTheLeaderCommittedOnEveryNode() {
        // When
        committed("one");
        committed("two");

        // Then
        await().pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(5))
                .atMost(PATIENCE)
                .untilAsserted(() ->
                        assertThat(nodes).allSatisfy(n -> assertThat(n.applied).containsExactly("one", "two")));
        assertThat(leader().hasLease()).isTrue();
        assertThat(leader().readIndex().orTimeout(20, TimeUnit.SECONDS).join())
                .isInstanceOf(ProposalOutcome.Committed.class);
    }

    @Test
    void electsAnotherWhenTheLeaderIsCutOffAndTheOldOneLosesItsLeaseFirst() {
        // Given
        committed("before");
        TestingNode old = leader();

        // When
        net.cut(old.self.node());
        await().pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(5))
                .atMost(PATIENCE)
                .until(() -> nodes.stream().anyMatch(n -> n != old && n.leads()));

        // Then
        assertThat(old.hasLease()).isFalse();
        await().pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(5))
                .atMost(PATIENCE)
                .until(() -> !old.raft.status().isLeader());
        net.heal();
        committed("after");
        await().pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(5))
                .atMost(PATIENCE)
                .untilAsserted(() ->
                        assertThat(nodes).allSatisfy(n -> assertThat(n.applied).endsWith("after")));
    }

    @Test
    void givesLeadershipToTheNodeThatWasNamed() {
        // Given
        TestingNode old = leader();
        TestingNode target = nodes.stream().filter(n -> n != old).findFirst().orElseThrow();

        // When
        old.transfer(target.self).join();

        // Then
        await().pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(5))
                .atMost(PATIENCE)
                .until(target::leads);
        assertThat(target.raft.status().byTransfer()).isTrue();
        await().pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(5))
                .atMost(PATIENCE)
                .until(target::hasLease);
        assertThat(old.raft.status().isLeader()).isFalse();
    }

    @Test
    void comesBackWithEverythingAfterARestartOfAll() {
        // Given
        IntStream.range(0, 50).forEach(i -> committed("c" + i));
        List<String> all = IntStream.range(0, 50).mapToObj(i -> "c" + i).toList();
        nodes.forEach(TestingNode::close);
        nodes.clear();

        // When
        node("a", 1).start();
        node("b", 2).start();
        node("c", 3).start();
        committed("last");

        // Then
        await().pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(5))
                .atMost(PATIENCE)
                .untilAsserted(() -> assertThat(nodes)
                        .allSatisfy(n -> assertThat(n.applied)
                                .startsWith(all.toArray(String[]::new))
                                .endsWith("last")));
        assertThat(nodes).allSatisfy(n -> assertThat(n.faults).isEmpty());
    }

    @Test
    void bringsALateLearnerUpBySnapshot() {
        // Given
        IntStream.range(0, 60).forEach(i -> committed("c" + i));
        TestingNode late = node("d", 4).start();

        // When
        changed(leader(), new MembershipChange.AddLearner(late.self));

        // Then
        await().pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(5))
                .atMost(PATIENCE)
                .untilAsserted(() -> assertThat(late.applied).hasSize(60).endsWith("c59"));
        assertThat(late.raft.status().membership().learners()).containsExactly(late.self);
    }

    @Test
    void ignoresANodeOfAnotherCluster() {
        // Given
        TestingNode foreign = new TestingNode(directory.resolve("f"), "f", 9, net, CONFIG, 43).start();
        nodes.add(foreign);

        // When
        changed(leader(), new MembershipChange.AddLearner(foreign.self));
        committed("ours");

        // Then
        assertThat(foreign.raft.status().lastIndex()).isZero();
        assertThat(foreign.raft.status().term()).isZero();
    }

    @Test
    void refusesToShareADirectoryAndToBeginALogTwice() {
        // Given
        Path taken = directory.resolve("a");

        // Then
        assertThatThrownBy(() -> RaftNode.bootstrap(taken, nodes.getFirst().self))
                .isInstanceOf(LocalFault.class)
                .hasMessageContaining(
                        "in use by process " + ProcessHandle.current().pid());
        nodes.getFirst().close();
        assertThatThrownBy(() -> RaftNode.bootstrap(taken, nodes.getFirst().self))
                .isInstanceOf(LocalFault.class)
                .hasMessageContaining("nothing was changed");
    }

    @Test
    void aFloodFromTheNetworkLeavesRoomForWhatMustNotBeLost() throws Exception {
        // Given
        RaftNode raft = leader().raft;
        CountDownLatch stuck = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        assertThat(raft.execute(() -> {
                    stuck.countDown();
                    awaitUninterruptibly(go);
                }))
                .isTrue();
        assertThat(stuck.await(20, TimeUnit.SECONDS)).isTrue();
        try {
            // When
            long lossy = handedUntilFull(raft, true);
            long needed = handedUntilFull(raft, false);

            // Then
            assertThat(lossy).isPositive().isLessThanOrEqualTo(RaftNodeConfig.INBOX_DEFAULT * 3 / 4);
            assertThat(needed).isGreaterThan(RaftNodeConfig.INBOX_DEFAULT / 5);
            assertThat(raft.hand(() -> {}, false)).isEqualTo(RaftNode.Handed.FULL);
        } finally {
            go.countDown();
        }
        raft.close();
        assertThat(raft.hand(() -> {}, false)).isEqualTo(RaftNode.Handed.NOT_RUNNING);
    }

    private static long handedUntilFull(RaftNode raft, boolean mayBeLost) {
        return IntStream.range(0, 2 * RaftNodeConfig.INBOX_DEFAULT)
                .takeWhile(_ -> raft.hand(() -> {}, mayBeLost) == RaftNode.Handed.TAKEN)
                .count();
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        try {
            if (!latch.await(20, TimeUnit.SECONDS)) {
                throw new IllegalStateException("not let go");
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private TestingNode node(String name, long incarnation) {
        TestingNode n = new TestingNode(directory.resolve(name), name, incarnation, net, CONFIG);
        nodes.add(n);
        return n;
    }

    private TestingNode leader() {
        await().pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(5))
                .atMost(PATIENCE)
                .until(() -> nodes.stream().anyMatch(TestingNode::leads));
        return nodes.stream()
                .filter(TestingNode::leads)
                .max((x, y) ->
                        Long.compare(x.raft.status().term(), y.raft.status().term()))
                .orElseThrow();
    }

    private void committed(String command) {
        await().pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(5))
                .atMost(PATIENCE)
                .until(() -> leader().propose(command)
                                .orTimeout(20, TimeUnit.SECONDS)
                                .join()
                        instanceof ProposalOutcome.Committed);
    }

    private static void changed(TestingNode leader, MembershipChange change) {
        await().pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(5))
                .atMost(PATIENCE)
                .until(() ->
                        leader.change(change).orTimeout(20, TimeUnit.SECONDS).join()
                                instanceof ProposalOutcome.Committed);
    }
}
