package io.quantadb.node.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.cluster.VoiceRule.Report;
import io.quantadb.node.cluster.VoiceRule.Seen;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class VoiceRuleTest {
    private static final long EPOCH = 5;
    private static final MemberRef SELF = member("a", 1);
    private static final MemberRef B = member("b", 1);
    private static final MemberRef C = member("c", 1);
    private static final MemberRef D = member("d", 1);

    private static MemberRef member(String node, long generation) {
        return new MemberRef(new NodeId(node), generation);
    }

    private static Rule rule(int k, MemberRef... members) {
        return new Rule(new TreeSet<>(List.of(members)), k);
    }

    private static VoicePermit permit(Rule rule) {
        return new VoicePermit(EPOCH, 1, SELF, rule, null);
    }

    private static VoicePermit joint(Rule rule, Rule next) {
        return new VoicePermit(EPOCH, 1, SELF, rule, next);
    }

    private static Seen at(MemberRef member, long lsn) {
        return new Seen(member, EPOCH, new Lsn(lsn), new Lsn(lsn - 1));
    }

    static Stream<Arguments> cases() {
        return Stream.of(
                Arguments.of("nobody was seen", permit(rule(1, B, C)), List.of(), 0),
                Arguments.of("one of two is enough", permit(rule(1, B, C)), List.of(at(B, 50)), 50),
                Arguments.of("the first of two", permit(rule(1, B, C)), List.of(at(B, 50), at(C, 70)), 70),
                Arguments.of("the second of two", permit(rule(2, B, C)), List.of(at(B, 50), at(C, 70)), 50),
                Arguments.of("one is missing of two", permit(rule(2, B, C)), List.of(at(C, 70)), 0),
                Arguments.of("never beyond the own flush", permit(rule(1, B)), List.of(at(B, 900)), 100),
                Arguments.of("nobody is asked", permit(Rule.ALONE), List.of(), 100),
                Arguments.of("a stranger counts for nothing", permit(rule(1, B)), List.of(at(C, 70)), 0),
                Arguments.of(
                        "an old generation counts for nothing", permit(rule(1, member("b", 2))), List.of(at(B, 70)), 0),
                Arguments.of(
                        "a stream of an older epoch counts for nothing",
                        permit(rule(1, B)),
                        List.of(new Seen(B, EPOCH - 1, new Lsn(70), new Lsn(70))),
                        0),
                Arguments.of(
                        "one member with two streams counts once",
                        permit(rule(2, B, C)),
                        List.of(at(B, 50), at(B, 70)),
                        0),
                Arguments.of(
                        "one node with two generations counts once",
                        permit(rule(2, B, member("b", 2))),
                        List.of(at(B, 50), at(member("b", 2), 70)),
                        0),
                Arguments.of(
                        "both halves while joint", joint(rule(1, B, C), rule(1, D)), List.of(at(B, 90), at(D, 40)), 40),
                Arguments.of("the new half is missing", joint(rule(1, B), rule(1, D)), List.of(at(B, 90)), 0),
                Arguments.of("the old half is missing", joint(rule(1, B), rule(1, D)), List.of(at(D, 90)), 0),
                Arguments.of("from nobody to one", joint(Rule.ALONE, rule(1, B)), List.of(at(B, 60)), 60),
                Arguments.of(
                        "the primary counts where an old rule lists it",
                        joint(rule(1, SELF, B), rule(1, C)),
                        List.of(at(C, 60)),
                        60),
                Arguments.of(
                        "the primary does not count in another generation",
                        joint(rule(1, member("a", 9), B), rule(1, C)),
                        List.of(at(C, 60)),
                        0));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void reportsWhatTheRuleAllows(String what, VoicePermit permit, List<Seen> seen, long expected) {
        // When
        Report report = VoiceRule.next(permit, EPOCH, true, seen, new Lsn(100), Report.NOTHING);

        // Then
        assertThat(report.flushed()).as(what).isEqualTo(new Lsn(expected));
        assertThat(report.applied()).as(what).isLessThanOrEqualTo(report.flushed());
    }

    @Test
    void neverGoesBack() {
        // Given a report that an earlier rule allowed
        Report before = new Report(new Lsn(80), new Lsn(75));

        // When the member that allowed it is gone
        Report report = VoiceRule.next(permit(rule(1, B)), EPOCH, true, List.of(at(B, 50)), new Lsn(100), before);

        // Then
        assertThat(report).isEqualTo(before);
    }

    @Test
    void allowsNothingNewWithoutALeaseOrBelowThePromise() {
        // Given
        VoicePermit permit = permit(rule(1, B));
        List<Seen> seen = List.of(at(B, 90));
        Report before = new Report(new Lsn(10), new Lsn(10));

        // When
        Report leaseless = VoiceRule.next(permit, EPOCH, false, seen, new Lsn(100), before);
        Report promised = VoiceRule.next(permit, EPOCH + 1, true, seen, new Lsn(100), before);

        // Then
        assertThat(leaseless).isEqualTo(before);
        assertThat(promised).isEqualTo(before);
    }

    @Test
    void appliedFollowsTheSameRuleOverAppliedPositions() {
        // Given the first to flush is the last to apply
        List<Seen> seen =
                List.of(new Seen(B, EPOCH, new Lsn(90), new Lsn(20)), new Seen(C, EPOCH, new Lsn(60), new Lsn(55)));

        // When
        Report report = VoiceRule.next(permit(rule(1, B, C)), EPOCH, true, seen, new Lsn(100), Report.NOTHING);

        // Then
        assertThat(report).isEqualTo(new Report(new Lsn(90), new Lsn(55)));
    }

    @Test
    void asksForTheOwnFlushWhereAHalfAsksForNobody() {
        assertThat(VoiceRule.needsOwnFlush(permit(rule(1, B)))).isFalse();
        assertThat(VoiceRule.needsOwnFlush(permit(Rule.ALONE))).isTrue();
        assertThat(VoiceRule.needsOwnFlush(joint(rule(1, B), Rule.ALONE))).isTrue();
    }
}
