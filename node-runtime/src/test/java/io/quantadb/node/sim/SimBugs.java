package io.quantadb.node.sim;

import io.quantadb.node.cluster.VoicePermit;
import io.quantadb.node.cluster.VoiceRule;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MemberRef;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Where a test puts a bug into the parts that the simulation models itself; this one has none. */
class SimBugs {
    /** What a restart finds of a promise that was persisted. */
    long restoredPromise(long persisted) {
        return persisted;
    }

    /** What a member's relay passes on of its receiver's report: no more than it delivered on this stream, or checked. */
    long believed(long reported, long delivered, long checked) {
        return Math.min(reported, Math.max(delivered, checked));
    }

    /** Whether a data directory whose clone was cut short tells an end of WAL; the real one counts as empty. */
    boolean interruptedCloneIsData() {
        return false;
    }

    /** In which version a leader writes: the cluster's, whatever its own release could. */
    int writtenVersion(int clusterVersion, int release) {
        return clusterVersion;
    }

    /** One open stream as the primary's relay sees it. */
    record MemberStream(MemberRef member, Lsn flushed) {}

    Lsn voice(VoicePermit permit, List<MemberStream> streams, Lsn ownFlush) {
        Map<MemberRef, Lsn> byMember = new TreeMap<>();
        streams.forEach(s -> byMember.merge(s.member(), s.flushed(), Lsn::max));
        return VoiceRule.position(permit, byMember, ownFlush);
    }
}
