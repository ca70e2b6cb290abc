package io.quantadb.node.cluster;

import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PlaceBounds;
import org.jspecify.annotations.Nullable;

/** What an operator may ask of the leader. */
public sealed interface AdminRequest {
    /**
     * Takes a member out for good: out of the rule, out of Raft, out of the state.
     *
     * @param anyway though two voters would be left, of which neither may then be lost
     */
    record RemoveMember(NodeId node, boolean anyway) implements AdminRequest {}

    /**
     * Who must acknowledge from now on, and what happens when they cannot. What is null stays as the leader knows it: who
     * asks may know of an older state, or ask at the same time as another.
     */
    record ChangeMode(
            Settings.@Nullable Mode mode,
            Settings.@Nullable Policy policy,
            @Nullable Integer shrinkAfterMillis) implements AdminRequest {
        public ChangeMode {
            if (shrinkAfterMillis != null) {
                var _ = Settings.DEFAULT.withRule(Settings.Mode.QUORUM, Settings.Policy.SHRINK, shrinkAfterMillis);
            }
        }

        Settings on(Settings now) {
            return now.withRule(
                    mode == null ? now.mode() : mode,
                    policy == null ? now.policy() : policy,
                    shrinkAfterMillis == null ? now.shrinkAfterMillis() : shrinkAfterMillis);
        }
    }

    /** A member in maintenance is not promoted by itself; it votes and acknowledges as before. */
    record Maintain(NodeId node, boolean maintenance) implements AdminRequest {}

    /** No failover begins by itself until then, by the wall clock; 0 ends it, {@link Settings#UNTIL_ENDED} never does. */
    record Pause(long untilMillis) implements AdminRequest {
        public Pause {
            var _ = Settings.DEFAULT.withPausedUntil(untilMillis);
        }
    }

    /**
     * Has a member throw its data away and copy them anew.
     *
     * @param anyway though commits then wait until it is back
     */
    record Resync(NodeId node, boolean anyway) implements AdminRequest {}

    /**
     * Keeps a member away from clients, or no longer.
     *
     * @param anyway though commits then wait, or writes stop, until it is back
     */
    record FenceMember(NodeId node, boolean fenced, boolean anyway) implements AdminRequest {}

    /**
     * Has a standby's server started anew; its agent runs on.
     *
     * @param anyway though commits then wait until it is back
     */
    record RestartServer(NodeId node, boolean anyway) implements AdminRequest {}

    /**
     * Makes a node primary although what was acknowledged may be lost; only where no failover can go on by itself.
     *
     * @param target null for the furthest ahead of those that answer
     * @param confirm the cluster's name; empty to hear what would be lost
     * @param acceptsLoss instead of the name
     */
    record ForceFailover(@Nullable NodeId target, String confirm, boolean acceptsLoss) implements AdminRequest {}

    /** From whom a read replica is to stream; null for the primary. */
    record SetUpstream(NodeId node, @Nullable NodeId upstream) implements AdminRequest {}

    /**
     * What holds of a member instead of its own configuration; what is null and not given back stays as it is.
     *
     * @param zone as {@link Placement#zoneIn} reads it
     * @param ownPriority that of its own configuration holds again
     * @param ownZone that of its own configuration holds again
     */
    record SetPlacement(
            NodeId node,
            @Nullable Integer priority,
            @Nullable String zone,
            boolean ownPriority,
            boolean ownZone) implements AdminRequest {
        /** Throws {@link IllegalArgumentException}, in words for who asked, for what cannot be. */
        public SetPlacement {
            if ((priority != null && ownPriority) || (zone != null && ownZone)) {
                throw new IllegalArgumentException("a value and the node's own are asked for at once: say one of them");
            }
            if (priority == null && zone == null && !ownPriority && !ownZone) {
                throw new IllegalArgumentException("neither a priority nor a zone is given: nothing would change");
            }
            if (priority != null) {
                PlaceBounds.requirePriority(priority);
            }
            if (zone != null) {
                PlaceBounds.requireZone(zone);
            }
        }

        Placement on(Member m) {
            Placement next = m.set();
            if (priority != null || ownPriority) {
                next = next.withPriority(priority);
            }
            if (zone != null || ownZone) {
                next = next.withZone(zone == null ? null : Placement.zoneIn(m.region(), zone));
            }
            return next;
        }
    }

    /** Who serves reads without a leader from now on. */
    record ChangeMinorityReads(Settings.MinorityReads reads) implements AdminRequest {}

    /** Moves the primary: begun when accepted, by words that name the heir; every member hears how it goes on. */
    record Switchover(SwitchoverRequest wanted) implements AdminRequest {}

    /**
     * How quick failovers are weighed against needless ones; what is negative stays as it is.
     *
     * @param acrossRegions 1 for yes, 0 for no
     */
    record Tune(int electionLimitMillis, int moveDelayMillis, int acrossRegions, int slowAfterMillis)
            implements AdminRequest {
        /** Throws {@link IllegalArgumentException}, in words for who asked, for what cannot be. */
        public Tuning on(Tuning now) {
            Tuning next = electionLimitMillis < 0 ? now : now.withElectionLimit(electionLimitMillis);
            next = moveDelayMillis < 0 ? next : next.withMoveDelay(moveDelayMillis);
            next = acrossRegions < 0 ? next : next.withAcrossRegions(acrossRegions == 1);
            return slowAfterMillis < 0 ? next : next.withSlowAfter(slowAfterMillis);
        }
    }
}
