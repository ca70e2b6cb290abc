package io.quantadb.node.cluster;

import io.quantadb.node.common.MemberRef;
import org.jspecify.annotations.Nullable;

/**
 * What the relay of the primary may acknowledge by: the recorded rule of one epoch, both halves while it changes.
 * The lease is asked at every report, through a supplier that the relay is given once.
 *
 * @param self the primary's own data: where a half names it (the rule of the last released epoch does, after a
 *     failover), its own flush counts
 */
public record VoicePermit(
        long epoch,
        long version,
        MemberRef self,
        Rule rule,
        @Nullable Rule nextRule) {}
