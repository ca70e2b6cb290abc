package io.quantadb.node.runtime;

import static io.quantadb.node.common.LogKeys.ADDRESS;
import static io.quantadb.node.common.LogKeys.CLUSTER;

import io.quantadb.node.cli.ExitCode;
import io.quantadb.node.cli.Failure;
import io.quantadb.node.common.HostPort;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends this node once it hears that another cluster was made in place of its own, after a lost majority; and, on the disk
 * on which that was done, keeps telling the members of the old one. Who cannot be reached is not told, and goes on as long
 * as it has a majority.
 */
final class GenerationWatch implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(GenerationWatch.class);
    private static final Duration EVERY = Duration.ofSeconds(2);

    private final Supplier<Greeting> self;
    private final Path data;
    private final Consumer<Failure> onSuperseded;
    private final Thread teller;

    /**
     * @param asked to be asked once, at the start
     * @param told to be told again and again
     */
    GenerationWatch(
            Supplier<Greeting> self,
            Path data,
            Formation formation,
            List<HostPort> asked,
            List<HostPort> told,
            Consumer<Failure> onSuperseded) {
        this.self = self;
        this.data = data;
        this.onSuperseded = onSuperseded;
        this.teller = Thread.ofVirtual().name("quantadb-generations").unstarted(() -> {
            try {
                Set<HostPort> all = new LinkedHashSet<>(asked);
                all.addAll(told);
                while (!all.isEmpty()) {
                    for (HostPort address : List.copyOf(all)) {
                        Greeting answer = formation.hello(address, self.get());
                        if (answer != null) {
                            onGreeting(answer);
                        }
                    }
                    all.retainAll(told);
                    Thread.sleep(EVERY);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
    }

    void start() {
        teller.start();
    }

    /** Any thread. */
    void onGreeting(Greeting other) {
        String own = self.get().clusterId();
        if (ClusterNames.supersedes(other.clusterId(), own)) {
            onSuperseded.accept(new Failure(
                    ExitCode.IDENTITY,
                    "cluster %s was given up after a lost majority: node %s is of %s, which was made in its place"
                            .formatted(own, other.node(), other.clusterId()),
                    "save what you need of %s, empty it, and start the node again: it joins as a new member"
                            .formatted(data)));
        } else if (ClusterNames.supersedes(own, other.clusterId())) {
            LOGGER.atWarn()
                    .addMarker(CLUSTER)
                    .addKeyValue("peer", other.node())
                    .addKeyValue(ADDRESS, other.members().get(other.node()))
                    .log(
                            "a disk of the cluster that this one took the place of is back; it is refused and told to end");
        }
    }

    @Override
    public void close() {
        teller.interrupt();
    }
}
