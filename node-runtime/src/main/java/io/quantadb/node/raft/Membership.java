package io.quantadb.node.raft;

import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import java.util.Collections;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Who belongs to the group: voters elect and acknowledge, learners only receive. */
public record Membership(SortedSet<PeerId> voters, SortedSet<PeerId> learners) {
    /** A disk that belongs to no group yet. */
    public static final Membership EMPTY = new Membership(new TreeSet<>(), new TreeSet<>());

    /** More voters make every commit slower and nothing safer. */
    public static final int VOTERS_MAX = 7;

    /** Bounds messages and the log entry. */
    public static final int LEARNERS_MAX = 64;

    public Membership {
        voters = Collections.unmodifiableSortedSet(new TreeSet<>(voters));
        learners = Collections.unmodifiableSortedSet(new TreeSet<>(learners));
        if (voters.size() > VOTERS_MAX || learners.size() > LEARNERS_MAX) {
            throw new IllegalArgumentException("%d voters and %d learners are more than %d and %d"
                    .formatted(voters.size(), learners.size(), VOTERS_MAX, LEARNERS_MAX));
        }
    }

    public static Membership of(PeerId onlyVoter) {
        TreeSet<PeerId> voters = new TreeSet<>();
        voters.add(onlyVoter);
        return new Membership(voters, new TreeSet<>());
    }

    public int majority() {
        return voters.size() / 2 + 1;
    }

    public boolean isVoter(PeerId peer) {
        return voters.contains(peer);
    }

    public boolean contains(PeerId peer) {
        return voters.contains(peer) || learners.contains(peer);
    }

    /** The incarnation under which a node is a member, or null. */
    public @Nullable PeerId memberOf(NodeId node) {
        for (PeerId p : all()) {
            if (p.node().equals(node)) {
                return p;
            }
        }
        return null;
    }

    public SortedSet<PeerId> all() {
        TreeSet<PeerId> all = new TreeSet<>(voters);
        all.addAll(learners);
        return all;
    }

    /** The membership after this change; the change has been checked by {@link #refusal}. */
    Membership after(MembershipChange change) {
        TreeSet<PeerId> v = new TreeSet<>(voters);
        TreeSet<PeerId> l = new TreeSet<>(learners);
        switch (change) {
            case MembershipChange.AddLearner(PeerId peer) -> l.add(peer);
            case MembershipChange.PromoteToVoter(PeerId peer) -> {
                l.remove(peer);
                v.add(peer);
            }
            case MembershipChange.DemoteToLearner(PeerId peer) -> {
                v.remove(peer);
                l.add(peer);
            }
            case MembershipChange.Remove(PeerId peer) -> {
                l.remove(peer);
                v.remove(peer);
            }
        }
        return new Membership(v, l);
    }

    /** Why this change makes no sense for this membership, or null when it does. */
    @Nullable
    String refusal(MembershipChange change) {
        return switch (change) {
            case MembershipChange.AddLearner(PeerId peer) -> {
                PeerId now = memberOf(peer.node());
                if (now != null) {
                    yield now.equals(peer)
                            ? "already a member"
                            : "an older incarnation of this node is still a member: remove it first";
                }
                yield learners.size() < LEARNERS_MAX ? null : "there are already %d learners".formatted(LEARNERS_MAX);
            }
            case MembershipChange.PromoteToVoter(PeerId peer) -> {
                if (!learners.contains(peer)) {
                    yield "only a learner can be made a voter";
                }
                yield voters.size() < VOTERS_MAX ? null : "there are already %d voters".formatted(VOTERS_MAX);
            }
            case MembershipChange.DemoteToLearner(PeerId peer) -> {
                if (!isVoter(peer)) {
                    yield "only a voter can be made a learner";
                }
                yield voters.size() == 1
                        ? "the last voter stays one"
                        : learners.size() < LEARNERS_MAX
                                ? null
                                : "there are already %d learners".formatted(LEARNERS_MAX);
            }
            case MembershipChange.Remove(PeerId peer) -> {
                if (!contains(peer)) {
                    yield "not a member";
                }
                yield voters.size() == 1 && isVoter(peer) ? "the last voter cannot be removed" : null;
            }
        };
    }
}
