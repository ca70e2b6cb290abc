package io.quantadb.node.cluster;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.ReplicationSlot;
import io.quantadb.node.common.SlotNames;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Decides which physical replication slots a node's server is to have, so that WAL which another member still needs is
 * there, whoever is primary, and no more of it than the bound.
 *
 * <p>A primary has a slot for every other data member; the member's own stream moves it. A standby has the same slots
 * and moves them itself, to what the primary said that it keeps ({@link KeptWal}); the primary's own slot there follows
 * what the standby has applied, since a primary that comes back has that at least.
 *
 * <p>A member that another standby feeds moves its slot there; the primary moves its own to where the member says that it
 * is, so that it can come back to the primary at any time and WAL does not pile up meanwhile.
 *
 * <p>A slot that asked for more than {@code max_slot_wal_keep_size} is lost: PostgreSQL lets its WAL go. A primary
 * leaves it so, or an absent member would fill the bound again and again with WAL that is of no use to it; the slot is
 * made anew when the member opens a stream or takes a base backup. A standby drops a slot that the primary says nothing
 * of any more, and makes a lost one anew once the primary's is alive.
 *
 * <p>Nothing is decided while the server is neither the primary of the state nor a standby of it. Slots of members that
 * are gone are dropped only by a state known to be of now: a node that starts with an old one must not drop the slot of
 * a member that it has not heard of yet.
 *
 * <p>Pure but for what it has told already; one owner.
 */
public final class SlotKeeper {
    /** Within one segment there is nothing to let go; PostgreSQL's smallest is this. */
    private static final long STEP_BYTES = 1 << 20;

    /**
     * What is known at one moment.
     *
     * @param stateIsCurrent a leader is known and all that it committed is applied
     * @param inRecovery whether the server is a standby
     * @param end the end of its WAL on a primary, how far it has applied on a standby
     * @param boundBytes {@code max_slot_wal_keep_size}; negative when there is none
     * @param slots those of {@link SlotNames#PREFIX}
     * @param told what the primary said lately; null when nothing was heard
     * @param fed on a primary: how far the members are that stream from another standby in this epoch
     */
    public record Seen(
            ClusterState state,
            boolean stateIsCurrent,
            boolean inRecovery,
            Lsn end,
            long boundBytes,
            List<ReplicationSlot> slots,
            @Nullable KeptWal told,
            Map<NodeId, Lsn> fed) {
        public Seen {
            slots = List.copyOf(slots);
            fed = Map.copyOf(fed);
        }

        /** With nobody who is fed by another standby. */
        public Seen(
                ClusterState state,
                boolean stateIsCurrent,
                boolean inRecovery,
                Lsn end,
                long boundBytes,
                List<ReplicationSlot> slots,
                @Nullable KeptWal told) {
            this(state, stateIsCurrent, inRecovery, end, boundBytes, slots, told, Map.of());
        }
    }

    /** One change to the server's slots; a failed one is decided again in the next round. */
    public sealed interface Step {
        String slot();

        /** With the oldest WAL that is there reserved. */
        record Create(String slot) implements Step {}

        record Drop(String slot) implements Step {}

        record Advance(String slot, Lsn to) implements Step {}
    }

    /** What people should know of one member. */
    public sealed interface Notice {
        NodeId member();

        /** It is away, or slow, and soon all WAL that is kept for it will be let go; then it has to clone. */
        record NearTheBound(NodeId member, long keptBytes, long boundBytes) implements Notice {}

        /** WAL that it needs may be gone: unless it finds it elsewhere it clones when it comes back. */
        record Lost(NodeId member, long boundBytes) implements Notice {}
    }

    /**
     * @param steps in this order
     * @param tell to every other data member; null unless this is the primary and has all its slots
     * @param lost members whose slots are lost here; empty unless this is the primary
     */
    public record Round(
            List<Step> steps,
            List<Notice> notices,
            @Nullable KeptWal tell,
            Set<NodeId> lost) {
        static final Round NOTHING = new Round(List.of(), List.of(), null, Set.of());

        public Round {
            steps = List.copyOf(steps);
            notices = List.copyOf(notices);
            lost = Set.copyOf(lost);
        }
    }

    private final NodeId self;
    private final Set<NodeId> toldNear = new HashSet<>();
    private final Set<NodeId> toldLost = new HashSet<>();

    public SlotKeeper(NodeId self) {
        this.self = self;
    }

    /** What to do now. */
    public Round next(Seen seen) {
        ClusterState s = seen.state();
        boolean namedPrimary = self.equals(s.primary());
        if (s.primary() == null || s.member(self) == null || namedPrimary == seen.inRecovery()) {
            return Round.NOTHING;
        }
        Map<String, ReplicationSlot> slots = new HashMap<>();
        seen.slots().forEach(slot -> slots.put(slot.name(), slot));
        List<Step> steps = new ArrayList<>();
        Map<NodeId, ReplicationSlot> wanted = new TreeMap<>();
        for (Member m : s.members().values()) {
            if (m.kind() == MemberKind.WITNESS || m.node().equals(self)) {
                continue;
            }
            ReplicationSlot slot = slots.remove(SlotNames.of(m.node()));
            if (namedPrimary && slot == null) {
                steps.add(new Step.Create(SlotNames.of(m.node())));
            } else if (namedPrimary && slot != null) {
                wanted.put(m.node(), slot);
                Lsn fedTo = seen.fed().get(m.node());
                if (fedTo != null && !slot.active() && !slot.lost()) {
                    advance(slot, Lsn.min(fedTo, seen.end()), steps);
                }
            } else {
                keepAsStandby(seen, m.node(), slot, steps);
            }
        }
        if (seen.stateIsCurrent()) {
            slots.values().stream()
                    .filter(slot -> !slot.active())
                    .sorted(Comparator.comparing(ReplicationSlot::name))
                    .forEach(slot -> steps.add(new Step.Drop(slot.name())));
        }
        return namedPrimary ? asPrimary(seen, wanted, steps) : new Round(steps, List.of(), null, Set.of());
    }

    private void keepAsStandby(Seen seen, NodeId member, @Nullable ReplicationSlot slot, List<Step> steps) {
        String name = SlotNames.of(member);
        KeptWal told = seen.told();
        boolean heard = told != null && told.epoch() == seen.state().epoch();
        boolean primary = member.equals(seen.state().primary());
        Lsn from = primary ? seen.end() : heard && told != null ? told.from().get(member) : null;
        if (from == null) {
            if (heard && slot != null && !slot.active()) {
                steps.add(new Step.Drop(name));
            }
        } else if (slot == null) {
            steps.add(new Step.Create(name));
        } else if (slot.active()) {
            // A member fetches from this node; its stream moves the slot.
            return;
        } else if (slot.lost()) {
            steps.add(new Step.Drop(name));
            steps.add(new Step.Create(name));
        } else {
            advance(slot, Lsn.min(from, seen.end()), steps);
        }
    }

    private static void advance(ReplicationSlot slot, Lsn to, List<Step> steps) {
        if (to.compareTo(slot.restart()) > 0 && to.minus(slot.restart()) >= STEP_BYTES) {
            steps.add(new Step.Advance(slot.name(), to));
        }
    }

    private Round asPrimary(Seen seen, Map<NodeId, ReplicationSlot> wanted, List<Step> steps) {
        List<Notice> notices = new ArrayList<>();
        Map<NodeId, Lsn> kept = new TreeMap<>();
        kept.put(self, seen.end());
        Set<NodeId> lost = new HashSet<>();
        toldNear.retainAll(wanted.keySet());
        toldLost.retainAll(wanted.keySet());
        wanted.forEach((member, slot) -> {
            if (slot.lost()) {
                lost.add(member);
                toldNear.remove(member);
                if (toldLost.add(member)) {
                    notices.add(new Notice.Lost(member, seen.boundBytes()));
                }
                return;
            }
            toldLost.remove(member);
            kept.put(member, slot.restart());
            long bytes = seen.end().minus(slot.restart());
            if (seen.boundBytes() < 0 || bytes < seen.boundBytes() / 2) {
                toldNear.remove(member);
            } else if (bytes >= seen.boundBytes() / 4 * 3 && toldNear.add(member)) {
                notices.add(new Notice.NearTheBound(member, bytes, seen.boundBytes()));
            }
        });
        // Standbys drop what is not named, so nothing is told before every member has a slot to be named by.
        boolean complete = steps.stream().noneMatch(Step.Create.class::isInstance);
        return new Round(steps, notices, complete ? new KeptWal(seen.state().epoch(), kept) : null, lost);
    }
}
