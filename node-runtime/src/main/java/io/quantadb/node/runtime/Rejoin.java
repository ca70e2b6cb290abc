package io.quantadb.node.runtime;

import static io.quantadb.node.common.LogKeys.CLUSTER;

import io.quantadb.node.cli.Failure;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.MonotonicClock;
import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.coordinator.FactStore;
import io.quantadb.node.coordinator.NodeFacts;
import io.quantadb.node.postgres.DataDirectory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a node comes back whose volume was put back to an earlier copy of itself: its Raft log lacks what it had acknowledged,
 * so the leader counts it no more, and only another incarnation of it may vote again.
 *
 * <pre>
 *   the leader's word -> {@link #note}: the mark      (the agent ends in order, and starts again)
 *   the mark          -> {@link #begin}: the facts of a new incarnation in no cluster; then the old one's log goes
 *   a new incarnation -> {@link #join}: asks the members that the old one knew, of its own cluster only, never forms one
 *   taken in          -> {@link #end}: the data directory is emptied, as a lost disk's is; then the mark goes
 * </pre>
 *
 * Each step may be interrupted and is begun anew at the next start. The data are kept until a leader with a majority has
 * taken the old incarnation out of rule and membership: where a majority of volumes was put back there is none, nobody is
 * taken in, and all copies stay where they are for a person to choose from.
 *
 * <p>Starting thread only, but for {@link #note}.
 */
final class Rejoin {
    private static final Logger LOGGER = LoggerFactory.getLogger(Rejoin.class);
    /** Its former self is taken for a living node until its last report has aged. */
    private static final Duration FORMER_SELF = Duration.ofSeconds(30);

    private static final Duration PAUSE = Duration.ofMillis(500);
    private static final String INCARNATION = "incarnation=";
    private static final String CLUSTER_ID = "cluster=";
    private static final String MEMBER = "member=";

    /** What the mark says: whose log fell behind, of what cluster, and where its members take connections. */
    record Former(long incarnation, String clusterId, List<HostPort> members) {}

    private final Path raft;
    private final MarkFile mark;
    private final FactStore store;
    private final DataDirectory directory;
    private final RandomGenerator random;
    private final @Nullable Former former;

    /** {@link LocalFault} when there is a mark that cannot be read. */
    Rejoin(NodeFiles files, FactStore store, DataDirectory directory, RandomGenerator random) {
        this.raft = files.raft();
        this.mark = mark(files);
        this.store = store;
        this.directory = directory;
        this.random = random;
        this.former = read(mark);
    }

    private static MarkFile mark(NodeFiles files) {
        return new MarkFile(files.facts().resolveSibling("rejoin"));
    }

    /** Said by the leader of this disk's member: its log is older than what it acknowledged. Durable when it returns. */
    static void note(NodeFiles files, NodeFacts member, Collection<HostPort> members) {
        List<String> lines = new ArrayList<>();
        lines.add(INCARNATION + member.incarnation());
        lines.add(CLUSTER_ID + member.clusterId());
        members.forEach(address -> lines.add(MEMBER + address));
        mark(files).write(lines);
    }

    private static @Nullable Former read(MarkFile mark) {
        long incarnation = 0;
        String cluster = "";
        List<HostPort> members = new ArrayList<>();
        try {
            for (String line : mark.read()) {
                if (line.startsWith(INCARNATION)) {
                    incarnation = Long.parseLong(line.substring(INCARNATION.length()));
                } else if (line.startsWith(CLUSTER_ID)) {
                    cluster = line.substring(CLUSTER_ID.length());
                } else if (line.startsWith(MEMBER)) {
                    members.add(HostPort.parse(line.substring(MEMBER.length())));
                }
            }
        } catch (IllegalArgumentException e) {
            throw new LocalFault("%s cannot be read: %s".formatted(mark, e), e);
        }
        return cluster.isEmpty() ? null : new Former(incarnation, cluster, List.copyOf(members));
    }

    /** What it was before; null where the disk is as it should be. */
    @Nullable
    Former former() {
        return former;
    }

    /** Makes the disk that of a new incarnation in no cluster, where it is not yet. Nobody counts the former one's word. */
    void begin() {
        Former before = former;
        NodeFacts facts = store.facts();
        if (before == null || facts == null) {
            return;
        }
        if (facts.incarnation() == before.incarnation()) {
            long next = Math.max(1, random.nextLong() & Long.MAX_VALUE);
            LOGGER.atWarn()
                    .addMarker(CLUSTER)
                    .addKeyValue("cluster", before.clusterId())
                    .log("this disk is an earlier copy of itself, and joins its cluster as a new incarnation");
            // What it promised and the generation of its data stay: to know more than one must is no harm.
            store.put(new NodeFacts(facts.node(), next, "", 0, facts.generation(), facts.promise(), "", null));
        }
        NodeFacts now = store.facts();
        if (now != null && !now.isMember()) {
            Folders.remove(raft);
        }
    }

    /** Where the former self's fellow members are asked, and after these whoever else is named. */
    List<HostPort> addresses(List<HostPort> configured) {
        List<HostPort> all = new ArrayList<>(former == null ? List.of() : former.members());
        configured.stream().filter(address -> !all.contains(address)).forEach(all::add);
        return all;
    }

    interface Asking {
        Greeting join() throws InterruptedException;
    }

    /** Asks again while the former self is taken for a node that runs. */
    Greeting join(Formation formation, Asking asking, MonotonicClock clock) throws InterruptedException {
        long began = clock.nanos();
        while (true) {
            try {
                return asking.join();
            } catch (Failure e) {
                if (!formation.refused() || clock.nanos() - began >= FORMER_SELF.toNanos()) {
                    throw e;
                }
                Thread.sleep(PAUSE);
            }
        }
    }

    /** Taken in: the old data are nobody's any more. */
    void end(NodeFacts member) {
        if (former == null) {
            return;
        }
        directory.create();
        directory.wipeForClone(member.generation());
        mark.remove();
    }
}
