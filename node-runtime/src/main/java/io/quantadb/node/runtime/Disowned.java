package io.quantadb.node.runtime;

import static io.quantadb.node.common.LogKeys.CLUSTER;

import io.quantadb.node.cli.ExitCode;
import io.quantadb.node.cli.Failure;
import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.consensus.RaftStatus;
import io.quantadb.node.coordinator.NodeFacts;
import java.nio.file.Path;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a node ends whose incarnation may not take part any more: one that was removed for good, with words; one whose log
 * lacks what it had acknowledged, to come back as another incarnation ({@link Rejoin}). Consensus thread; {@link #rejoins}
 * any.
 */
final class Disowned {
    private static final Logger LOGGER = LoggerFactory.getLogger(Disowned.class);

    private final Path dataDirectory;
    private final NodeFiles files;
    private final RandomGenerator random;
    private final Consumer<Throwable> fault;
    private final Runnable end;
    private volatile boolean rejoins;
    private boolean told;

    /**
     * @param fault ends the node with words
     * @param end ends it without
     */
    Disowned(Path dataDirectory, NodeFiles files, RandomGenerator random, Consumer<Throwable> fault, Runnable end) {
        this.dataDirectory = dataDirectory;
        this.files = files;
        this.random = random;
        this.fault = fault;
        this.end = end;
    }

    /** Whether it ended to be started again. */
    boolean rejoins() {
        return rejoins;
    }

    void onStatus(RaftStatus status, NodeFacts member) {
        if (!status.disowned() || told) {
            return;
        }
        told = true;
        if (!status.regressed()) {
            fault.accept(new Failure(
                    ExitCode.IDENTITY,
                    "this disk's node was removed from the cluster",
                    "empty %s and start the node again: it joins as a new incarnation".formatted(dataDirectory)));
            return;
        }
        LOGGER.atWarn()
                .addMarker(CLUSTER)
                .log("this node's log lacks what it had acknowledged: its volume was put back to an earlier copy");
        try {
            Rejoin.note(files, member, Math.max(1, random.nextLong() & Long.MAX_VALUE));
            rejoins = true;
            end.run();
        } catch (LocalFault e) {
            fault.accept(e);
        }
    }
}
