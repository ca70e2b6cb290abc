package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.cluster.Addresses;
import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.Command;
import io.quantadb.node.cluster.Event;
import io.quantadb.node.cluster.Member;
import io.quantadb.node.cluster.MemberKind;
import io.quantadb.node.cluster.MemberState;
import io.quantadb.node.cluster.Placement;
import io.quantadb.node.cluster.ProtocolRules;
import io.quantadb.node.cluster.Settings;
import io.quantadb.node.cluster.Transitions;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import io.quantadb.node.consensus.RaftStatus;
import io.quantadb.node.raft.Membership;
import io.quantadb.node.raft.Role;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** When a node tells the cluster where it is, and whom. */
class WhereaboutsTest {
    private static final PeerId SELF = new PeerId(new NodeId("c"), 33);
    private static final PeerId LEADER = new PeerId(new NodeId("a"), 11);
    private static final long SECOND = 1_000_000_000L;

    private long now = 100 * SECOND;
    private boolean leads;
    private int priority = 100;
    private ClusterState state = ClusterState.EMPTY;
    private final Heard heard = new Heard(() -> 50);
    private final Map<HostPort, Greeting> answers = new HashMap<>();
    private final List<HostPort> greeted = new ArrayList<>();
    private final List<HostPort> told = new ArrayList<>();
    private final List<Event> own = new ArrayList<>();

    private Whereabouts at(int port) {
        var self = new Greeting(
                SELF.node(),
                SELF.incarnation(),
                "shop",
                7,
                "",
                Map.of(SELF.node(), on(port)),
                Map.of("zone", "z", "priority", Integer.toString(priority)));
        return new Whereabouts(
                self,
                () -> state,
                this::status,
                heard,
                () -> now,
                () -> List.of(on(1).replication(), on(2).replication()),
                new Whereabouts.Mail() {
                    @Override
                    public @Nullable Greeting hello(HostPort address, Greeting greeting) {
                        greeted.add(address);
                        return answers.get(address);
                    }

                    @Override
                    public boolean tellMoved(HostPort address, NodeId leader, Greeting greeting) {
                        told.add(address);
                        return true;
                    }
                },
                own::add);
    }

    private RaftStatus status() {
        return new RaftStatus(
                SELF,
                leads ? Role.LEADER : Role.FOLLOWER,
                6,
                leads ? SELF : LEADER,
                1,
                1,
                1,
                Membership.EMPTY,
                List.of(),
                0,
                false,
                false,
                0,
                false,
                false);
    }

    private static Addresses on(int port) {
        HostPort at = new HostPort("127.0.0.1", port);
        return new Addresses(at, at, at, at, at);
    }

    /** The cluster knows this node on that port. */
    private void known(int port) {
        var me = new Member(SELF, 1, MemberKind.DATA, MemberState.VOTER, on(port), "z", 100, false);
        state = new Transitions(new ProtocolRules())
                .apply(ClusterState.EMPTY, new Command.Bootstrap("shop", 7, 1, me, 1, Settings.DEFAULT))
                .state();
    }

    private void leaderAt(int port) {
        answers.put(
                on(2).replication(),
                new Greeting(new NodeId("b"), 12, "shop", 7, "a", Map.of(LEADER.node(), on(port)), Map.of()));
    }

    @Test
    void saysNothingWhileTheClusterKnowsIt() throws InterruptedException {
        // Given
        known(5);
        heard.onHeard(LEADER.node(), now);

        // When
        at(5).look();

        // Then
        assertThat(greeted).isEmpty();
        assertThat(told).isEmpty();
    }

    @Test
    void tellsTheLeaderThatAnotherNames() throws InterruptedException {
        // Given
        known(5);
        heard.onHeard(LEADER.node(), now);
        leaderAt(9);

        // When
        at(6).look();

        // Then
        assertThat(greeted).containsExactly(on(1).replication(), on(2).replication());
        assertThat(told).containsExactly(on(9).replication());
    }

    @Test
    void tellsOfAnotherPriorityToo() throws InterruptedException {
        // Given
        known(5);
        heard.onHeard(LEADER.node(), now);
        leaderAt(9);
        priority = 0;

        // When
        at(5).look();

        // Then
        assertThat(told).hasSize(1);
    }

    /** It would ask every second otherwise, and an operator's word would hold for as long. */
    @Test
    void asksForNothingWhenAnOperatorHasSetAnother() throws InterruptedException {
        // Given
        known(5);
        heard.onHeard(LEADER.node(), now);
        leaderAt(9);
        state = new Transitions(new ProtocolRules())
                .apply(state, new Command.SetPlacement(SELF, new Placement(7, "b")))
                .state();

        // When
        at(5).look();

        // Then
        assertThat(state.members().get(SELF.node()).priority()).isEqualTo(7);
        assertThat(told).isEmpty();
    }

    /** Whoever has moved is dialled by nobody, and what it knows of the cluster may be old. */
    @Test
    void asksWhenNoLeaderWasHeardForAWhileWhateverItKnows() throws InterruptedException {
        // Given
        known(5);
        leaderAt(9);
        Whereabouts moved = at(5);

        // When
        moved.look();
        int atFirst = greeted.size();
        now += Whereabouts.SILENCE.toNanos();
        moved.look();

        // Then
        assertThat(atFirst).isZero();
        assertThat(told).containsExactly(on(9).replication());
    }

    @Test
    void aLeaderNotesItItself() throws InterruptedException {
        // Given
        known(5);
        leads = true;

        // When
        at(6).look();

        // Then
        assertThat(own).containsExactly(new Event.MemberTold(0, SELF, on(6), "z", 100));
        assertThat(greeted).isEmpty();
    }

    @Test
    void takesNoWordOfAnotherCluster() throws InterruptedException {
        // Given
        known(5);
        heard.onHeard(LEADER.node(), now);
        answers.put(
                on(1).replication(),
                new Greeting(new NodeId("b"), 12, "mart", 7, "a", Map.of(LEADER.node(), on(9)), Map.of()));

        // When
        at(6).look();

        // Then
        assertThat(told).isEmpty();
    }
}
