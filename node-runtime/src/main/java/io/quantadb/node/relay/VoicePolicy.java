package io.quantadb.node.relay;

import io.quantadb.node.cluster.VoicePermit;
import io.quantadb.node.cluster.VoiceRule;
import io.quantadb.node.cluster.VoiceRule.Report;
import io.quantadb.node.cluster.VoiceRule.Seen;
import io.quantadb.node.common.Lsn;
import java.util.Collection;

/**
 * How far the voice may acknowledge. The program has one, {@link #RECORDED_RULE}; a test build puts another in its
 * place by constructor, to show that the fault tests notice what it loses.
 *
 * <p>Called on the relay's loop; pure.
 */
public interface VoicePolicy {
    /** The recorded rule, as {@link VoiceRule} calculates it. */
    VoicePolicy RECORDED_RULE = new VoicePolicy() {
        @Override
        public Report next(
                VoicePermit permit,
                long promise,
                boolean leaseValid,
                Collection<Seen> seen,
                Lsn ownFlush,
                Report before) {
            return VoiceRule.next(permit, promise, leaseValid, seen, ownFlush, before);
        }

        @Override
        public boolean needsOwnFlush(VoicePermit permit) {
            return VoiceRule.needsOwnFlush(permit);
        }
    };

    /** See {@link VoiceRule#next}. */
    Report next(
            VoicePermit permit, long promise, boolean leaseValid, Collection<Seen> seen, Lsn ownFlush, Report before);

    /** See {@link VoiceRule#needsOwnFlush}. */
    boolean needsOwnFlush(VoicePermit permit);
}
