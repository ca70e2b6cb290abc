package io.quantadb.node.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the leader, n1, which is primary of three or more, answers an operator. */
class AdminDutiesTest {
    private static final HostPort AT = new HostPort("localhost", 1);
    private static final Lsn END = new Lsn(5_000);

    private Context ctx;
    private Reports reports;
    private AdminDuties duties;
    private ResyncDuties resync;
    private List<Command> proposed = List.of();

    @BeforeEach
    void threeThatAreWell() {
        cluster(3);
        hears("n1", "n2", "n3");
    }

    private void cluster(int size) {
        ctx = new Context(peer("n1"), new ProtocolRules(), 1, 0, 1_000_000_000L);
        var members = new TreeMap<NodeId, Member>();
        var refs = new TreeSet<MemberRef>();
        ctx.voters = new TreeSet<>();
        for (int i = 1; i <= size; i++) {
            Member m = new Member(
                    peer("n" + i),
                    1,
                    MemberKind.DATA,
                    MemberState.VOTER,
                    new Addresses(AT, AT, AT, AT, AT),
                    "",
                    100,
                    false);
            members.put(m.node(), m);
            ctx.voters.add(m.peer());
            if (i > 1) {
                refs.add(m.ref());
            }
        }
        ClusterState formed = new Transitions(ctx.rules)
                .apply(
                        ClusterState.EMPTY,
                        new Command.Bootstrap("c", 42, 1, members.firstEntry().getValue(), 1, Settings.DEFAULT))
                .state();
        var draft = new Draft(formed).rule(new Rule(refs, size / 2));
        members.values().forEach(draft::member);
        ctx.state = draft.done();
        ctx.leader = true;
        ctx.ownTermApplied = true;
        ctx.term = 2;
        reports = new Reports(ctx);
        resync = new ResyncDuties(ctx);
        duties = new AdminDuties(ctx, reports, resync);
    }

    private static PeerId peer(String node) {
        return new PeerId(new NodeId(node), 7);
    }

    private void hears(String... nodes) {
        for (String node : nodes) {
            boolean primary = node.equals("n1");
            reports.keep(
                    new NodeId(node),
                    new LocalStatus(
                            1,
                            0,
                            0,
                            1,
                            1,
                            primary ? ServerState.PRIMARY : ServerState.STANDBY,
                            1,
                            true,
                            null,
                            END,
                            primary ? 0 : 1,
                            END,
                            true,
                            ""));
        }
    }

    private Action.AdminAnswer ask(AdminRequest request) {
        duties.onAsked(new Event.AdminAsked(1, request), null);
        List<Action> actions = ctx.drain();
        proposed = actions.stream()
                .filter(Action.Propose.class::isInstance)
                .map(a -> ((Action.Propose) a).command())
                .toList();
        return actions.stream()
                .filter(Action.AdminAnswer.class::isInstance)
                .map(Action.AdminAnswer.class::cast)
                .findFirst()
                .orElseThrow();
    }

    private static AdminRequest remove(String node, boolean anyway) {
        return new AdminRequest.RemoveMember(new NodeId(node), anyway);
    }

    @Test
    void sendsWhoAsksAFollowerToTheLeader() {
        // Given
        ctx.leader = false;
        ctx.leaderId = new NodeId("n2");

        // When
        Action.AdminAnswer answer = ask(remove("n3", true));

        // Then
        assertThat(answer.verdict()).isEqualTo(Action.AdminVerdict.NOT_LEADER);
        assertThat(answer.words()).isEqualTo("n2");
        assertThat(proposed).isEmpty();
    }

    @Test
    void lettingTwoVotersStayNeedsInsisting() {
        // When
        Action.AdminAnswer refused = ask(remove("n3", false));
        List<Command> nothing = proposed;
        Action.AdminAnswer accepted = ask(remove("n3", true));

        // Then
        assertThat(refused.verdict()).isEqualTo(Action.AdminVerdict.REFUSED);
        assertThat(refused.words()).contains("two voters would be left");
        assertThat(nothing).isEmpty();
        assertThat(accepted.verdict()).isEqualTo(Action.AdminVerdict.ACCEPTED);
        assertThat(proposed).containsExactly(new Command.SetMemberState(peer("n3"), MemberState.LEAVING));
    }

    @Test
    void thePrimaryStays() {
        // When
        Action.AdminAnswer answer = ask(remove("n1", true));

        // Then
        assertThat(answer.verdict()).isEqualTo(Action.AdminVerdict.REFUSED);
        assertThat(answer.words()).contains("switch over");
        assertThat(proposed).isEmpty();
    }

    @Test
    void aDeadMemberMayGoAndALivingOneWithoutWhichNoMajorityIsHeardMayNot() {
        // Given
        cluster(4);
        hears("n1", "n2");

        // When
        Action.AdminAnswer living = ask(remove("n2", true));
        List<Command> nothing = proposed;
        Action.AdminAnswer dead = ask(remove("n4", false));

        // Then
        assertThat(living.verdict()).isEqualTo(Action.AdminVerdict.REFUSED);
        assertThat(living.words()).contains("no majority");
        assertThat(nothing).isEmpty();
        assertThat(dead.verdict()).isEqualTo(Action.AdminVerdict.ACCEPTED);
        assertThat(proposed).containsExactly(new Command.SetMemberState(peer("n4"), MemberState.LEAVING));
    }

    @Test
    void whoeverCommitsWaitForStays() {
        // Given
        ctx.state = new Draft(ctx.state)
                .settings(new Settings(Settings.Mode.ALL, Settings.Policy.BLOCK, Settings.DEFAULT.timers()))
                .done();
        ctx.now += 10_000_000_000L;
        hears("n1", "n2");

        // When
        Action.AdminAnswer answer = ask(remove("n2", true));

        // Then
        assertThat(answer.verdict()).isEqualTo(Action.AdminVerdict.REFUSED);
        assertThat(answer.words()).contains("bring");
        assertThat(proposed).isEmpty();
    }

    private static AdminRequest copy(String node, boolean anyway) {
        return new AdminRequest.Resync(new NodeId(node), anyway);
    }

    @Test
    void aMemberIsCopiedAnewOnceItLeftTheRule() {
        // When
        Action.AdminAnswer answer = ask(copy("n3", false));
        resync.onTick();
        List<Action> whileItCounts = ctx.drain();
        ctx.state = new Draft(ctx.state)
                .rule(new Rule(new TreeSet<>(List.of(new MemberRef(new NodeId("n2"), 1))), 1))
                .done();
        resync.onTick();
        List<Action> afterwards = ctx.drain();

        // Then
        assertThat(answer.verdict()).isEqualTo(Action.AdminVerdict.ACCEPTED);
        assertThat(resync.outOfTheRule()).containsExactly(new NodeId("n3"));
        assertThat(whileItCounts).isEmpty();
        assertThat(afterwards).containsExactly(new Action.Send(new NodeId("n3"), new CoordMessage.Discard(2, 1, 1)));
    }

    /** Its server is stopped, and it would copy at a moment of which nobody thinks any more. */
    @Test
    void whoIsFencedIsNotCopiedAnew() {
        // Given
        Member m = ctx.state.members().get(new NodeId("n3"));
        ctx.state = new Draft(ctx.state).member(m.withFence(Fence.SHUT)).done();

        // When
        Action.AdminAnswer answer = ask(copy("n3", true));

        // Then
        assertThat(answer.verdict()).isEqualTo(Action.AdminVerdict.REFUSED);
        assertThat(answer.words()).contains("n3 is fenced", "quantadb unfence n3");
        assertThat(resync.target()).isNull();
    }

    /** Else commits would wait for as long as the order stands. */
    @Test
    void anOrderToCopyEndsSoonWhenTheOthersDoNotAcknowledgeWithoutThatMember() {
        // Given
        ask(copy("n3", false));

        // When
        ctx.now += 4_000_000_000L;
        resync.onTick();
        NodeId atFirst = resync.target();
        ctx.now += 2_000_000_000L;
        resync.onTick();

        // Then
        assertThat(atFirst).isEqualTo(new NodeId("n3"));
        assertThat(resync.target()).isNull();
        assertThat(ctx.drain()).noneMatch(Action.Send.class::isInstance);
    }

    @Test
    void whoIsNeededToAcknowledgeIsCopiedAnewOnlyWhenTheOperatorInsistsAndThenStaysInTheRule() {
        // Given
        ctx.now += 10_000_000_000L;
        hears("n1", "n2");

        // When
        Action.AdminAnswer refused = ask(copy("n2", false));
        Action.AdminAnswer accepted = ask(copy("n2", true));
        resync.onTick();

        // Then
        assertThat(refused.verdict()).isEqualTo(Action.AdminVerdict.REFUSED);
        assertThat(refused.words()).contains("commits would wait").contains("insist");
        assertThat(accepted.verdict()).isEqualTo(Action.AdminVerdict.ACCEPTED);
        assertThat(resync.outOfTheRule()).isEmpty();
        assertThat(ctx.drain()).containsExactly(new Action.Send(new NodeId("n2"), new CoordMessage.Discard(2, 1, 1)));
    }

    @Test
    void oneMemberIsCopiedAtATimeAndNeverThePrimaryOrWhoIsNotHeard() {
        // When
        Action.AdminAnswer primary = ask(copy("n1", true));
        ask(copy("n3", false));
        Action.AdminAnswer again = ask(copy("n3", false));
        Action.AdminAnswer second = ask(copy("n2", false));
        resync.clear();
        ctx.now += 10_000_000_000L;
        Action.AdminAnswer silent = ask(copy("n3", true));

        // Then
        assertThat(primary.verdict()).isEqualTo(Action.AdminVerdict.REFUSED);
        assertThat(primary.words()).contains("switch over");
        assertThat(again.verdict()).isEqualTo(Action.AdminVerdict.ACCEPTED);
        assertThat(second.verdict()).isEqualTo(Action.AdminVerdict.NOT_NOW);
        assertThat(silent.verdict()).isEqualTo(Action.AdminVerdict.REFUSED);
        assertThat(silent.words()).contains("not heard from");
    }

    @Test
    void anOrderToCopyIsForgottenWithTheEpochAndWhenItHasBegun() {
        // Given
        ask(copy("n3", false));

        // When
        ctx.state = new Draft(ctx.state)
                .member(ctx.state.members().get(new NodeId("n3")).withGeneration(2))
                .done();
        resync.onTick();

        // Then
        assertThat(resync.target()).isNull();
        assertThat(ctx.drain()).isEmpty();
    }

    @Test
    void maintenanceBeginsAndEndsEvenWhileAFailoverIsUnderWay() {
        // When
        duties.onAsked(new Event.AdminAsked(1, new AdminRequest.Pause(9_000)), "a failover is under way");
        List<Action> begun = ctx.drain();
        ctx.state = new Draft(ctx.state)
                .settings(ctx.state.settings().withPausedUntil(9_000))
                .done();
        Action.AdminAnswer mode = ask(new AdminRequest.ChangeMode(Settings.Mode.ALL, Settings.Policy.BLOCK, 10_000));
        List<Command> change = proposed;
        Action.AdminAnswer again = ask(new AdminRequest.Pause(9_000));
        List<Command> nothing = proposed;
        Action.AdminAnswer ended = ask(new AdminRequest.Pause(0));

        // Then
        assertThat(begun)
                .contains(new Action.Propose(new Command.ChangeSettings(Settings.DEFAULT.withPausedUntil(9_000))));
        assertThat(mode.verdict()).isEqualTo(Action.AdminVerdict.ACCEPTED);
        assertThat(change)
                .containsExactly(new Command.ChangeSettings(Settings.DEFAULT
                        .withRule(Settings.Mode.ALL, Settings.Policy.BLOCK, 10_000)
                        .withPausedUntil(9_000)));
        assertThat(again.verdict()).isEqualTo(Action.AdminVerdict.ACCEPTED);
        assertThat(nothing).isEmpty();
        assertThat(ended.verdict()).isEqualTo(Action.AdminVerdict.ACCEPTED);
        assertThat(proposed).containsExactly(new Command.ChangeSettings(Settings.DEFAULT));
    }

    @Test
    void namesTheMembersToWhoAsksForAStranger() {
        // When
        Action.AdminAnswer answer = ask(remove("node9", true));

        // Then
        assertThat(answer.verdict()).isEqualTo(Action.AdminVerdict.REFUSED);
        assertThat(answer.words()).contains("node9").contains("n1, n2, n3");
    }

    /** Who asks for the policy alone may know of an older mode than the leader does. */
    @Test
    void whatARequestDoesNotNameStaysAsTheLeaderKnowsIt() {
        // Given
        ctx.state = new Draft(ctx.state)
                .settings(ctx.state.settings().withRule(Settings.Mode.ALL, Settings.Policy.BLOCK, 7_000))
                .done();

        // When
        ask(new AdminRequest.ChangeMode(null, Settings.Policy.SHRINK, null));

        // Then
        assertThat(proposed)
                .containsExactly(new Command.ChangeSettings(
                        ctx.state.settings().withRule(Settings.Mode.ALL, Settings.Policy.SHRINK, 7_000)));
    }

    private Member member(String node) {
        return java.util.Objects.requireNonNull(ctx.state.member(new NodeId(node)));
    }

    private Action.AdminAnswer place(
            String node, @Nullable Integer priority, @Nullable String zone, boolean ownPriority, boolean ownZone) {
        Action.AdminAnswer answer =
                ask(new AdminRequest.SetPlacement(new NodeId(node), priority, zone, ownPriority, ownZone));
        proposed.forEach(
                c -> ctx.state = new Transitions(ctx.rules).apply(ctx.state, c).state());
        return answer;
    }

    @Test
    void setsPriorityAndZoneUntilTheNodesOwnAreGivenBack() {
        // When
        Action.AdminAnswer set = place("n2", 200, "eu/b", false, false);
        Member there = member("n2");
        Action.AdminAnswer again = place("n2", 200, "eu/b", false, false);
        List<Command> nothing = proposed;
        place("n2", null, "c", false, false);
        Member moved = member("n2");
        place("n2", null, "/d", true, false);
        Member outside = member("n2");
        place("n2", null, null, false, true);

        // Then
        assertThat(set.verdict()).isEqualTo(Action.AdminVerdict.ACCEPTED);
        assertThat(set.words()).isEqualTo("n2: priority 200, zone eu/b");
        assertThat(there.priority()).isEqualTo(200);
        assertThat(there.region()).isEqualTo("eu");
        assertThat(again.words()).isEqualTo("it is so already");
        assertThat(nothing).isEmpty();
        assertThat(moved.zone()).as("in its region").isEqualTo("eu/c");
        assertThat(moved.priority()).as("not named").isEqualTo(200);
        assertThat(outside.zone()).isEqualTo("d");
        assertThat(outside.region()).isEmpty();
        assertThat(outside.priority()).as("its own").isEqualTo(100);
        assertThat(member("n2").set()).isEqualTo(Placement.NONE);
        assertThat(member("n2").zone()).isEmpty();
    }

    @Test
    void saysWhatPriorityZeroMeansForThePrimaryAndForTheLastHeir() {
        assertThat(place("n2", 0, null, false, false).words()).endsWith("; it is never primary now");
        assertThat(place("n3", 0, null, false, false).words())
                .contains("never primary now")
                .endsWith("; nobody is left who could take over from the primary");
        assertThat(place("n1", 0, null, false, false).words()).contains("stays primary until it is moved");
        assertThat(member("n1").priority()).isZero();
    }

    @Test
    void givesNoPriorityToAReadReplicaAndSaysWhoTheMembersAre() {
        // Given
        Member n3 = member("n3");
        ctx.state = new Draft(ctx.state)
                .member(new Member(
                        n3.peer(), 1, MemberKind.READ_REPLICA, MemberState.CAUGHT_UP, n3.addresses(), "", 100, false))
                .done();

        // When
        Action.AdminAnswer priority = place("n3", 5, "b", false, false);
        List<Command> nothing = proposed;
        Action.AdminAnswer zone = place("n3", null, "b", false, false);
        Action.AdminAnswer stranger = place("n9", 5, null, false, false);

        // Then
        assertThat(priority.verdict()).isEqualTo(Action.AdminVerdict.REFUSED);
        assertThat(priority.words()).contains("n3 is a read replica and is never primary");
        assertThat(nothing).isEmpty();
        assertThat(zone.verdict()).isEqualTo(Action.AdminVerdict.ACCEPTED);
        assertThat(member("n3").zone()).isEqualTo("b");
        assertThat(stranger.verdict()).isEqualTo(Action.AdminVerdict.REFUSED);
        assertThat(stranger.words()).contains("no member is called n9");
    }

    /** A failover may wait for nothing else than one that may be promoted. */
    @Test
    void takesAPriorityWhileAFailoverIsUnderWay() {
        // When
        duties.onAsked(
                new Event.AdminAsked(1, new AdminRequest.SetPlacement(new NodeId("n2"), 5, null, false, false)),
                "a failover is under way");

        // Then
        assertThat(ctx.drain())
                .contains(new Action.Propose(new Command.SetPlacement(peer("n2"), new Placement(5, null))));
    }

    @Test
    void changesTheModeOnce() {
        // Given
        var wanted = new AdminRequest.ChangeMode(Settings.Mode.ALL, Settings.Policy.SHRINK, 3_000);

        // When
        Action.AdminAnswer first = ask(wanted);
        List<Command> change = proposed;
        ctx.state =
                new Transitions(ctx.rules).apply(ctx.state, change.getFirst()).state();
        Action.AdminAnswer again = ask(wanted);

        // Then
        assertThat(first.verdict()).isEqualTo(Action.AdminVerdict.ACCEPTED);
        assertThat(change).hasSize(1);
        assertThat(ctx.state.settings().mode()).isEqualTo(Settings.Mode.ALL);
        assertThat(ctx.state.settings().shrinkAfterMillis()).isEqualTo(3_000);
        assertThat(again.verdict()).isEqualTo(Action.AdminVerdict.ACCEPTED);
        assertThat(proposed).isEmpty();
    }
}
