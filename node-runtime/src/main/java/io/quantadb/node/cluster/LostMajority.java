package io.quantadb.node.cluster;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import java.util.ArrayList;
import java.util.List;

/**
 * What becomes of a cluster whose voters' majority is gone for good, by an operator's word: a cluster of another name with
 * one member, who is primary of a later epoch on a timeline of its own, which it has to release as after any promotion.
 * Pure.
 */
public final class LostMajority {
    public static final String REASON = "forced by an operator: the majority was lost";

    private LostMajority() {}

    /**
     * @param before the last state that the survivor's disk knows
     * @param name the new cluster's
     * @param survivor as the member that it will be, a data voter of another incarnation
     * @param end of the survivor's WAL
     * @param promise the highest that the survivor has made
     */
    public static ClusterState recovered(
            ClusterState before, String name, Member survivor, Position end, long promise, long whenMillis) {
        if (!survivor.dataVoter() || name.equals(before.clusterId())) {
            throw new IllegalArgumentException("a data voter goes on, and under another name");
        }
        long epoch = Math.max(before.epoch(), promise) + 1;
        int timeline = Math.max(before.lastTimeline(), end.timeline()) + 1;
        Draft draft = new Draft(before).rule(Rule.ALONE).next(Rule.ALONE).bump();
        for (NodeId node : before.members().keySet()) {
            draft.without(node);
        }
        draft.member(survivor);
        draft.clusterId = name;
        draft.epoch = epoch;
        draft.primary = survivor.node();
        draft.primaryGeneration = survivor.generation();
        draft.timeline = timeline;
        draft.lastTimeline = timeline;
        draft.history = last(
                before.history(),
                new EpochRecord(epoch, survivor.node(), timeline, end.timeline(), end.lsn(), Lsn.NONE, false),
                ClusterState.MAX_HISTORY);
        draft.failovers = last(
                before.failovers(),
                new FailoverRecord(whenMillis, before.primary(), survivor.node(), epoch, REASON),
                ClusterState.MAX_FAILOVERS);
        return draft.done();
    }

    private static <T> List<T> last(List<T> list, T added, int max) {
        List<T> all = new ArrayList<>(list);
        all.add(added);
        return all.subList(Math.max(0, all.size() - max), all.size());
    }
}
