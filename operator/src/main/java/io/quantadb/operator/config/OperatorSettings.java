package io.quantadb.operator.config;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;

/** The operator's own settings. {@code QUANTADB_NODE_REPOSITORY} sets {@link #nodeRepository} and so on. */
@ConfigMapping(prefix = "quantadb")
public interface OperatorSettings {
    /** Repository of the nodes' image, without tag. */
    @WithDefault("quantadb.io/node")
    String nodeRepository();

    /** The release that a new cluster gets when its spec names none. */
    @WithDefault("${quarkus.application.version}")
    String version();

    /** How often a cluster that serves writes is looked at when nothing happens. */
    @WithDefault("10s")
    Duration period();

    /** The same while it does not serve writes. */
    @WithDefault("2s")
    Duration eagerPeriod();

    /** Deadline of one question to a node. */
    @WithDefault("2s")
    Duration nodeDeadline();

    /** Deadline of the call that founds a cluster; the node takes up to 20 s for one. */
    @WithDefault("30s")
    Duration foundingDeadline();
}
