package io.quantadb.node.sim;

import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.Command;
import io.quantadb.node.cluster.Member;
import io.quantadb.node.cluster.Rule;
import io.quantadb.node.cluster.Settings;
import io.quantadb.node.cluster.VoicePermit;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.sim.invariants.AcknowledgementsSurvive;
import io.quantadb.node.sim.invariants.BlockedRulesKeepACopy;
import io.quantadb.node.sim.invariants.EveryFreezeQuorumKnows;
import io.quantadb.node.sim.invariants.EveryMemberReads;
import io.quantadb.node.sim.invariants.FedWalIsThePrimarys;
import io.quantadb.node.sim.invariants.FencedAreNotPromoted;
import io.quantadb.node.sim.invariants.FrozenQuorumSilencesTheVoice;
import io.quantadb.node.sim.invariants.MaintenanceHolds;
import io.quantadb.node.sim.invariants.OldGenerationsAreSilent;
import io.quantadb.node.sim.invariants.OneServesInAnEpoch;
import io.quantadb.node.sim.invariants.OneWriterPerTimeline;
import io.quantadb.node.sim.invariants.PromisesAreKept;
import io.quantadb.node.sim.invariants.RulesNameMembers;
import io.quantadb.node.sim.invariants.UnreleasedEpochsShowNothing;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Sees everything at once, which no node can, and hands it to the invariants. */
final class Oracle {
    private static final long QUIET_MS = 3_000;
    /** Longer than a rule that was decided upon under other settings takes to be finished. */
    private static final long SETTLED_MS = 5_000;

    private final SimWorld world;
    private final AcknowledgementsSurvive<SimPostgres.Rec> survive = new AcknowledgementsSurvive<>();
    final PromotionOracle promotions;
    private final EveryFreezeQuorumKnows quorums = new EveryFreezeQuorumKnows();
    private final OneServesInAnEpoch oneServes = new OneServesInAnEpoch();
    private final OneWriterPerTimeline oneWriter = new OneWriterPerTimeline();
    private final PromisesAreKept promises = new PromisesAreKept();
    private final FrozenQuorumSilencesTheVoice silence = new FrozenQuorumSilencesTheVoice();
    private final UnreleasedEpochsShowNothing unreleased = new UnreleasedEpochsShowNothing();
    private final RulesNameMembers nobodyMissing = new RulesNameMembers();
    private final FencedAreNotPromoted fences = new FencedAreNotPromoted();
    private final MaintenanceHolds maintenance = new MaintenanceHolds();
    private final OldGenerationsAreSilent generations = new OldGenerationsAreSilent();
    private final BlockedRulesKeepACopy copies = new BlockedRulesKeepACopy();
    private final FedWalIsThePrimarys feeding = new FedWalIsThePrimarys();
    private final EveryMemberReads readable = new EveryMemberReads();
    private final Map<Long, Integer> applied = new HashMap<>();

    ClusterState committed = ClusterState.EMPTY;
    private long committedIndex;
    /** When commits were last allowed to be on one disk alone. */
    private long looseAt = Long.MIN_VALUE / 2;

    long acknowledged;
    long epochs;
    /** Records that standbys gave to members. */
    long fed;

    Oracle(SimWorld world) {
        this.world = world;
        this.promotions = new PromotionOracle(world, survive);
    }

    /** The first node to apply an index fixes what everybody applies there. */
    void onApplied(SimNode node, long index, byte[] command, ClusterState after) {
        int hash = Arrays.hashCode(command) * 31 + after.hashCode();
        Integer before = applied.putIfAbsent(index, hash);
        if (before != null && before != hash) {
            throw new AssertionError("%s applied something else at %d".formatted(node.id, index));
        }
        if (index <= committedIndex) {
            return;
        }
        committedIndex = index;
        boolean released = after.releasedEpoch() > committed.releasedEpoch();
        if (after.epoch() > committed.epoch()) {
            epochs++;
            world.trace("epoch %d is %s's, timeline %d, rule %s, next %s"
                    .formatted(after.epoch(), after.primary(), after.timeline(), after.rule(), after.nextRule()));
        }
        boolean promoted = after.epoch() > committed.epoch() && after.epoch() > 1;
        boolean otherRule = !after.rule().equals(committed.rule());
        if (promoted && SimEntry.command(command) instanceof Command.Promote p) {
            promotions.onPromoted(committed, after, p);
            if (byItself(p.kind())) {
                maintenance.onFailover(
                        committed.epoch(), world.wallMillis(), p.node().toString());
            }
        }
        promotions.onApplied(committed, after);
        if (!blocks(committed.settings()) || !blocks(after.settings())) {
            looseAt = world.now;
        }
        if (SimEntry.command(command) instanceof Command.Finish
                && committed.rule().k() > 0) {
            checkCopies(after);
        }
        Member promotedNow = promoted ? committed.member(after.primary()) : null;
        if (promotedNow != null) {
            fences.onPromoted(
                    after.epoch(),
                    promotedNow.node().toString(),
                    promotedNow.fence().fenced());
        }
        boolean otherPause =
                after.settings().pausedUntilMillis() != committed.settings().pausedUntilMillis();
        committed = after;
        if (otherPause) {
            maintenance.onChanged();
        }
        if (otherPause || released) {
            watchMaintenance();
        }
        nobodyMissing.onApplied(after);
        if (promoted) {
            SimPostgres pg = world.nodes.get(after.primary()).pg;
            boolean ownData = world.nodes.get(after.primary()).facts.generation == after.primaryGeneration();
            boolean holds = ownData && survive.heldBy(pg.wal, pg.wal.size());
            quorums.onPromoted(after.epoch(), String.valueOf(after.primary()), survive.owed(), holds);
        }
        if (otherRule) {
            checkRule();
        }
        if (released && after.epoch() > 1) {
            world.trace("epoch %d is released".formatted(after.epoch()));
            List<SimPostgres.Rec> wal = world.nodes.get(after.primary()).pg.wal;
            survive.onReleased(after.epoch(), wal);
            promotions.onReleased();
        }
    }

    /** Nobody is given what its release cannot read. */
    void readable(SimNode node, int version) {
        readable.onRead(node.id.toString(), node.release, version);
    }

    private static boolean byItself(Command.PromoteKind kind) {
        return kind == Command.PromoteKind.FROZEN || kind == Command.PromoteKind.ASYNC;
    }

    /** Records that were shown and are lost for good, as may be where nobody was asked, or by an operator's word. */
    long lost() {
        return survive.lost();
    }

    private static boolean blocks(Settings set) {
        return set.mode() != Settings.Mode.ASYNC && set.policy() == Settings.Policy.BLOCK;
    }

    private void checkCopies(ClusterState after) {
        if (after.rule().k() == 0 && world.now - looseAt > SETTLED_MS * SimWorld.MS) {
            List<String> left = after.dataVoters().stream()
                    .filter(m -> !m.node().equals(after.primary()))
                    .filter(m -> world.nodes.get(m.node()).self.equals(m.peer()))
                    .map(m -> m.node().value())
                    .toList();
            copies.onAlone(String.valueOf(after.primary()), left);
        }
    }

    private void watchMaintenance() {
        long epoch = committed.epoch();
        long until = committed.settings().pausedUntilMillis();
        world.afterMs(QUIET_MS, QUIET_MS, () -> {
            boolean same = committed.epoch() == epoch
                    && committed.released()
                    && committed.settings().pausedUntilMillis() == until;
            boolean promised = world.nodes.values().stream().anyMatch(n -> n.facts.promisedEver > epoch);
            if (same && until > 0 && !promised) {
                maintenance.onQuiet(epoch, until);
            }
        });
    }

    private void checkRule() {
        Rule rule = committed.rule();
        int lacking = 0;
        for (MemberRef ref : rule.set()) {
            SimNode n = world.nodes.get(ref.node());
            boolean sameData = n.facts.generation == ref.generation() && !n.pg.empty;
            lacking += sameData && !survive.heldBy(n.pg.wal, n.pg.flushed) ? 1 : 0;
        }
        if (rule.k() > 0) {
            quorums.onRule(rule.toString(), survive.owed(), lacking, rule.set().size() - rule.k());
        }
    }

    void onWritten(SimNode node, SimPostgres.Rec rec) {
        oneWriter.onWritten(rec.timeline(), node.self.toString());
    }

    void onTimelineBegun(SimNode node, int timeline) {
        oneWriter.onBegun(timeline, node.self.toString());
    }

    void onShown(SimNode node, long epoch, int records) {
        unreleased.onShown(epoch, committed.releasedEpoch());
        List<String> serving = new ArrayList<>();
        for (SimNode n : world.nodes.values()) {
            if (n.front.serving()) {
                serving.add(n.id + " in epoch " + n.front.epoch());
            }
        }
        oneServes.onShown(serving);
        promotions.onShown(node, epoch);
        survive.onShown(epoch, node.pg.wal, records);
        checkRule();
        if (epoch < committed.releasedEpoch()) {
            survive.onShownLate(epoch, records, committed.releasedEpoch(), world.nodes.get(committed.primary()).pg.wal);
        }
    }

    /** A standby gives a member these records of its own, under that epoch. */
    void onFed(SimNode standby, long epoch, int from, int to) {
        SimNode primary = committed.primary() == null ? null : world.nodes.get(committed.primary());
        boolean known = epoch == committed.epoch()
                && primary != null
                && !primary.pg.empty
                && primary.facts.generation == committed.primaryGeneration();
        if (known) {
            fed += to - from;
            feeding.onFed(standby.id.toString(), epoch, standby.pg.wal.subList(from, to), from, primary.pg.wal);
        }
    }

    /** What is on that node's disk is about to be lost, wholly or from a fork on. */
    void onDiscards(SimNode node) {
        if (!node.pg.empty) {
            generations.onDiscards(node.id.toString(), node.facts.generation, node.pg.answeredAs);
        }
    }

    void onAcknowledges(SimNode node, long epoch) {
        promises.onAcknowledges(node.id.toString(), epoch, node.facts.promisedEver);
    }

    void onVoice(SimNode primary, VoicePermit permit, Lsn reported) {
        if (permit.rule().k() == 0) {
            return;
        }
        List<Lsn> frozen = new ArrayList<>();
        for (MemberRef ref : permit.rule().set()) {
            SimNode n = world.nodes.get(ref.node());
            if (n.facts.generation == ref.generation() && n.facts.promisedEver > permit.epoch()) {
                frozen.add(n.pg.end());
            }
        }
        boolean quorum = frozen.size() >= permit.rule().freezeQuorum();
        if (quorum && !permit.rule().set().contains(permit.self())) {
            silence.onVoice(permit.epoch(), reported, frozen);
        }
    }
}
