package io.quantadb.node.cluster;

import io.quantadb.node.common.NodeId;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A state being changed, or read from bytes; used inside one transition or reading and dropped. */
final class Draft {
    private final TreeMap<NodeId, Member> members;
    private Rule rule;
    private @Nullable Rule nextRule;
    private Settings settings;
    private int clusterVersion;
    String clusterId;
    long systemIdentifier;
    long version;
    long epoch;

    @Nullable
    NodeId primary;

    long primaryGeneration;
    int timeline;
    int lastTimeline;
    long releasedEpoch;

    @Nullable
    NodeId releasedPrimary;

    long releasedGeneration;
    List<EpochRecord> history;
    List<FailoverRecord> failovers;

    Draft(ClusterState s) {
        clusterId = s.clusterId();
        systemIdentifier = s.systemIdentifier();
        members = new TreeMap<>(s.members());
        rule = s.rule();
        nextRule = s.nextRule();
        version = s.version();
        settings = s.settings();
        clusterVersion = s.clusterVersion();
        epoch = s.epoch();
        primary = s.primary();
        primaryGeneration = s.primaryGeneration();
        timeline = s.timeline();
        lastTimeline = s.lastTimeline();
        releasedEpoch = s.releasedEpoch();
        releasedPrimary = s.releasedPrimary();
        releasedGeneration = s.releasedGeneration();
        history = s.history();
        failovers = s.failovers();
    }

    Draft member(Member m) {
        members.put(m.node(), m);
        return this;
    }

    Draft without(NodeId node) {
        members.remove(node);
        return this;
    }

    Draft rule(Rule r) {
        rule = r;
        return this;
    }

    Draft next(@Nullable Rule r) {
        nextRule = r;
        return this;
    }

    Draft bump() {
        version++;
        return this;
    }

    Draft settings(Settings next) {
        settings = next;
        return this;
    }

    Draft clusterVersion(int next) {
        clusterVersion = next;
        return this;
    }

    ClusterState done() {
        return new ClusterState(
                clusterId,
                systemIdentifier,
                clusterVersion,
                epoch,
                version,
                primary,
                primaryGeneration,
                timeline,
                releasedEpoch,
                releasedPrimary,
                releasedGeneration,
                rule,
                nextRule,
                history,
                lastTimeline,
                members,
                settings,
                failovers);
    }
}
