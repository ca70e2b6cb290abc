package io.quantadb.node.cli;

import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.config.Ports;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * One node of the demo, as its state file remembers it.
 *
 * @param host where it listens and is reached: loopback, except in benches that give every node a network of its own
 * @param folder absolute folder with {@code node.json}, {@code agent.log} and {@code data}
 * @param agent the process that was started last; null when it was stopped on purpose
 */
public record DemoNode(
        NodeId id,
        String host,
        Ports ports,
        Path folder,
        @Nullable ProcessMark agent) {
    /** The address that the nodes of a demo listen on. */
    public static final String HOST = "127.0.0.1";

    public HostPort api() {
        return new HostPort(host, ports.api());
    }

    /** The listener that follows the primary. */
    public HostPort primaryListener() {
        return new HostPort(host, ports.primary());
    }

    /** The listener of this node's own server. */
    public HostPort localListener() {
        return new HostPort(host, ports.sql());
    }

    public Path log() {
        return folder.resolve("agent.log");
    }

    public Path settings() {
        return folder.resolve("node.json");
    }

    /** Where {@link io.quantadb.node.config.NodeConfig#postgresDataDir()} is for the settings of this node. */
    public Path postgresData() {
        return folder.resolve("data").resolve("postgres");
    }

    /** What opens its API to changes while it runs; see {@code run_dir}. */
    public Path token() {
        return folder.resolve("data").resolve("run").resolve("api.token");
    }

    public boolean running() {
        return agent != null && agent.isAlive();
    }

    DemoNode with(@Nullable ProcessMark process) {
        return new DemoNode(id, host, ports, folder, process);
    }
}
