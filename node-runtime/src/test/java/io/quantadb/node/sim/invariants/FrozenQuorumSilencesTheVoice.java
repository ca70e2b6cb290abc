package io.quantadb.node.sim.invariants;

import io.quantadb.node.common.Lsn;
import java.util.List;

/**
 * INV6 of protocol.md: once |S|-k+1 of the rule are frozen, the voice of a lower epoch passes nothing that none of them
 * has (a report that was under way may still arrive).
 */
public final class FrozenQuorumSilencesTheVoice {
    public void onVoice(long epoch, Lsn reported, List<Lsn> frozenEnds) {
        if (frozenEnds.stream().noneMatch(end -> end.atLeast(reported))) {
            throw new AssertionError("INV6: the voice of epoch %d reports %s, the frozen end at %s"
                    .formatted(epoch, reported, frozenEnds));
        }
    }
}
