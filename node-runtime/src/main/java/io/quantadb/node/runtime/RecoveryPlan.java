package io.quantadb.node.runtime;

import static io.quantadb.node.common.LogKeys.CLUSTER;
import static io.quantadb.node.common.LogKeys.EPOCH;

import io.quantadb.node.cli.ExitCode;
import io.quantadb.node.cli.QuorumRecovery;
import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.LostMajority;
import io.quantadb.node.cluster.Member;
import io.quantadb.node.cluster.MemberKind;
import io.quantadb.node.cluster.MemberState;
import io.quantadb.node.cluster.Position;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import io.quantadb.node.config.NodeConfig;
import io.quantadb.node.coordinator.FactStore;
import io.quantadb.node.coordinator.NodeFacts;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One recovery from a lost majority: all that was found out, and what is done once it is confirmed. */
record RecoveryPlan(
        NodeConfig config,
        ClusterState before,
        NodeFacts facts,
        Member survivor,
        Position end,
        SilentMembers others,
        RecoveredLog log,
        FactStore store,
        int seed,
        Closing closing)
        implements QuorumRecovery.Plan {
    private static final Logger LOGGER = LoggerFactory.getLogger(RecoveryPlan.class);

    /** Another incarnation of the node, as the only voter. */
    static Member survivor(NodeConfig config, Member was, NodeFacts facts, long incarnation) {
        return new Member(
                        new PeerId(was.node(), Math.max(1, incarnation)),
                        facts.generation(),
                        MemberKind.DATA,
                        MemberState.VOTER,
                        NodeIdentity.addresses(config),
                        was.ownZone(),
                        was.ownPriority(),
                        false)
                .withSet(was.set());
    }

    @Override
    public String cluster() {
        return before.clusterId();
    }

    @Override
    public List<String> words() {
        List<String> words = new ArrayList<>();
        words.add("COMMITS THAT WERE ACKNOWLEDGED MAY BE LOST FOR GOOD");
        words.add("cluster %s, as %s last knew it: epoch %d, primary %s; its members were %s"
                .formatted(before.clusterId(), facts.node(), before.epoch(), before.primary(), names(before)));
        words.add("the WAL of %s ends at %s of timeline %d".formatted(facts.node(), end.lsn(), end.timeline()));
        words.add(loss());
        words.addAll(others.words());
        words.add("%s goes on alone as a new cluster; the disks of the others are refused by it from then on"
                .formatted(facts.node()));
        words.add(
                "what cannot be prevented: members that live where this machine cannot reach them, and are a majority,"
                        + " go on as the old cluster; make sure that they are off");
        return words;
    }

    private String loss() {
        boolean primary =
                facts.node().equals(before.releasedPrimary()) && facts.generation() == before.releasedGeneration();
        if (primary) {
            return "it was the primary of epoch %d and misses nothing, unless the others have made another primary since"
                    .formatted(before.releasedEpoch());
        }
        String rule = before.rule().set().stream().map(r -> r.node().value()).collect(Collectors.joining(", "));
        return before.rule().k() == 0
                ? "%s acknowledged commits alone: what it had beyond that is lost".formatted(before.releasedPrimary())
                : "commits waited for %d of (%s) beside %s: what was acknowledged beyond that is lost"
                        .formatted(before.rule().k(), rule, before.releasedPrimary());
    }

    private static String names(ClusterState state) {
        return state.members().keySet().stream().map(NodeId::value).collect(Collectors.joining(", "));
    }

    @Override
    public List<String> carryOut() {
        String name = ClusterNames.next(before.clusterId(), seed);
        ClusterState state = LostMajority.recovered(
                before, name, survivor, end, facts.promise(), Instant.now().toEpochMilli());
        Steps.run(ExitCode.DATA_DIRECTORY, () -> {
            log.write(survivor.peer(), state);
            new RecoveryMark(config.cluster().dataDir())
                    .add(before.members().values().stream()
                            .filter(m -> !m.node().equals(facts.node()))
                            .map(Member::addresses)
                            .toList());
            store.put(new NodeFacts(
                    facts.node(),
                    survivor.peer().incarnation(),
                    name,
                    facts.systemIdentifier(),
                    facts.generation(),
                    facts.promise(),
                    "",
                    facts.timers()));
            log.takePlace();
        });
        LOGGER.atWarn()
                .addMarker(CLUSTER)
                .addKeyValue("was", before.clusterId())
                .addKeyValue("cluster", name)
                .addKeyValue(EPOCH, state.epoch())
                .log("an operator has made a new cluster of this node, since the majority was lost");
        return next(name, facts.node());
    }

    static List<String> next(String name, NodeId node) {
        return List.of(
                "%s is cluster %s now: start it, and it is primary".formatted(node, name),
                "then add others: empty their folders, and start each with --cluster-mode replica and the address of %s"
                        .formatted(node));
    }

    @Override
    public void close() {
        closing.close();
    }
}
