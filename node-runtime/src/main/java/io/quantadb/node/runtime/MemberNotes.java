package io.quantadb.node.runtime;

import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.Member;
import io.quantadb.node.cluster.Settings;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.relay.RelaySnapshot;
import org.jspecify.annotations.Nullable;

/** What is worth knowing of a member's stream, in words. Pure functions. */
final class MemberNotes {
    private MemberNotes() {}

    /** Empty when there is nothing to say. */
    static String of(
            Member m,
            ClusterState s,
            long behindMs,
            @Nullable NodeId upstream,
            RelaySnapshot.@Nullable Following following) {
        if (following != null && following.unreached()) {
            return "no stream from %s after %d tries; dialling goes on"
                    .formatted(following.upstream(), following.failedDials());
        }
        if (behindMs < s.settings().tuning().slowAfterMillis()) {
            NodeId wanted = m.upstream();
            if (wanted == null || upstream == null || wanted.equals(upstream) || wanted.equals(s.primary())) {
                return "";
            }
            return "streams from %s until %s has streamed for a while".formatted(upstream, wanted);
        }
        boolean needed = s.rule().set().stream().anyMatch(r -> r.node().equals(m.node()))
                && s.rule().k() == s.rule().set().size();
        return "slow: %d s behind%s"
                .formatted(
                        behindMs / 1_000,
                        needed
                                ? s.settings().policy() == Settings.Policy.SHRINK
                                        ? "; commits wait for it, until the rule asks for fewer"
                                        : "; commits wait for it (policy block)"
                                : "; no commit waits for it");
    }
}
