package io.quantadb.node.runtime;

import static io.quantadb.node.common.LogKeys.CLUSTER;

import io.quantadb.node.cli.ExitCode;
import io.quantadb.node.cli.Failure;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.MonotonicClock;
import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.coordinator.FactStore;
import io.quantadb.node.coordinator.NodeFacts;
import io.quantadb.node.postgres.DataDirectory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a node comes back whose volume was put back to an earlier copy of itself: its Raft log lacks what it had acknowledged,
 * so the leader counts it no more, and only another incarnation of it may vote again.
 *
 * <pre>
 *   the leader's word -> {@link #note}: the mark        (the agent ends in order, and starts again)
 *   the mark          -> {@link #join}: asks as the other incarnation, only its own cluster; the disk stays as it is
 *   taken in          -> the facts of the other incarnation; {@link #end}: log and data go, then the mark
 * </pre>
 *
 * Each step may be interrupted and is begun anew at the next start. Consensus does not run meanwhile, so neither incarnation
 * votes. The disk is untouched until a leader with a majority has taken the old incarnation out of rule and membership: where
 * a majority of volumes was put back there is none, nobody is taken in, and every copy can be recovered from. A mark that
 * speaks of another disk than this, such as one that a recovery has given a new name, is taken away and changes nothing.
 *
 * <p>Starting thread only, but for {@link #note}.
 */
final class Rejoin {
    private static final Logger LOGGER = LoggerFactory.getLogger(Rejoin.class);
    /** Its former self is taken for a living node until its last report has aged. */
    private static final Duration FORMER_SELF = Duration.ofSeconds(30);

    private static final Duration PAUSE = Duration.ofMillis(500);
    private static final String INCARNATION = "incarnation=";
    private static final String NEXT = "next=";
    private static final String CLUSTER_ID = "cluster=";

    /** What the mark says: whose log fell behind, as whom it comes back, and to what cluster. */
    record Former(long incarnation, long next, String clusterId) {
        private boolean isOf(@Nullable NodeFacts facts) {
            return facts != null
                    && facts.clusterId().equals(clusterId)
                    && (facts.incarnation() == incarnation || facts.incarnation() == next);
        }
    }

    private final NodeFiles files;
    private final MarkFile mark;
    private final DataDirectory directory;
    private final @Nullable Former former;

    /** {@link LocalFault} when there is a mark that cannot be read. */
    Rejoin(NodeFiles files, FactStore store, DataDirectory directory) {
        this.files = files;
        this.mark = mark(files);
        this.directory = directory;
        Former read = read(mark);
        this.former = read != null && read.isOf(store.facts()) ? read : null;
        if (read != null && former == null) {
            mark.remove();
        }
    }

    private static MarkFile mark(NodeFiles files) {
        return new MarkFile(files.facts().resolveSibling("rejoin"));
    }

    /**
     * Said by the leader of this disk's member: its log is older than what it acknowledged. Durable when it returns.
     *
     * @param next as what incarnation it comes back
     */
    static void note(NodeFiles files, NodeFacts member, long next) {
        mark(files).write(List.of(INCARNATION + member.incarnation(), NEXT + next, CLUSTER_ID + member.clusterId()));
    }

    private static @Nullable Former read(MarkFile mark) {
        long incarnation = 0;
        long next = 0;
        String cluster = "";
        try {
            for (String line : mark.read()) {
                if (line.startsWith(INCARNATION)) {
                    incarnation = Long.parseLong(line.substring(INCARNATION.length()));
                } else if (line.startsWith(NEXT)) {
                    next = Long.parseLong(line.substring(NEXT.length()));
                } else if (line.startsWith(CLUSTER_ID)) {
                    cluster = line.substring(CLUSTER_ID.length());
                }
            }
        } catch (IllegalArgumentException e) {
            throw new LocalFault("%s cannot be read: %s".formatted(mark, e), e);
        }
        return cluster.isEmpty() || next == 0 ? null : new Former(incarnation, next, cluster);
    }

    /** What it was before; null where the disk is as it should be. */
    @Nullable
    Former former() {
        return former;
    }

    /** As whom it asks: a member of nothing. What it promised stays; to know more than one must is no harm. */
    NodeFacts asking(NodeFacts facts) {
        Former before = former;
        return before == null
                ? facts
                : new NodeFacts(
                        facts.node(), before.next(), "", 0, facts.generation(), facts.promise(), facts.peers(), null);
    }

    /** Where it is to ask: the members that its own log names, to the last entry, and then whoever is configured. */
    List<HostPort> addresses(NodeId self, List<HostPort> configured) {
        List<HostPort> all = new ArrayList<>();
        try {
            RecoveredLog.of(files).lastState().members().forEach((node, member) -> {
                if (!node.equals(self)) {
                    all.add(member.addresses().replication());
                }
            });
        } catch (LocalFault | IllegalArgumentException e) {
            LOGGER.atWarn()
                    .addMarker(CLUSTER)
                    .log("this disk's log names no members of its cluster: " + e.getMessage());
        }
        configured.stream().filter(address -> !all.contains(address)).forEach(all::add);
        if (all.isEmpty()) {
            throw new Failure(
                    ExitCode.PEERS,
                    "this disk is an earlier copy of itself, from before it knew another member of its cluster",
                    "name the members in cluster.peers, or one with --primary");
        }
        return all;
    }

    interface Asking {
        Greeting join() throws InterruptedException;
    }

    /** Asks again while the former self is taken for a node that runs. */
    Greeting join(Formation formation, Asking asking, MonotonicClock clock) throws InterruptedException {
        LOGGER.atWarn()
                .addMarker(CLUSTER)
                .addKeyValue("cluster", former == null ? "" : former.clusterId())
                .log("this disk is an earlier copy of itself: asks to be taken in as a new incarnation");
        long began = clock.nanos();
        while (true) {
            try {
                return asking.join();
            } catch (Failure e) {
                boolean inUse = formation.refused() && e.code() == ExitCode.IDENTITY;
                if (!inUse || clock.nanos() - began >= FORMER_SELF.toNanos()) {
                    throw e;
                }
                Thread.sleep(PAUSE);
            }
        }
    }

    /** Taken in, and that is on disk: the old log and the old data are nobody's any more. */
    void end(NodeFacts member) {
        Former before = former;
        if (before == null || member.incarnation() != before.next() || !member.isMember()) {
            return;
        }
        Folders.remove(files.raft());
        directory.create();
        directory.wipeForClone(member.generation());
        mark.remove();
    }
}
