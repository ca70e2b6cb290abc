package io.quantadb.node.runtime;

import io.quantadb.node.cluster.Event;
import io.quantadb.node.common.MonotonicClock;
import io.quantadb.node.config.FailoverConfig;
import io.quantadb.node.config.NodeConfig;
import io.quantadb.node.coordinator.DiskWatch;
import io.quantadb.node.coordinator.PostgresWatch;
import io.quantadb.node.postgres.LifeSign;
import io.quantadb.node.postgres.PostgresServer;
import java.util.function.Consumer;

/** What a node watches of itself for its decision core: whether its disk answers, and whether its PostgreSQL does. */
record OwnHealth(DiskWatch disk, PostgresWatch postgres, LifeSign sign) implements AutoCloseable {
    /** Starts to watch; {@code events} is told on the thread that calls {@link #look}. */
    static OwnHealth watch(NodeConfig config, PostgresServer server, MonotonicClock clock, Consumer<Event> events) {
        FailoverConfig limits = config.cluster().failover();
        DiskWatch disk = new DiskWatch(
                DiskWatch.file(config.dataDir().resolve("disk.check")), limits.diskTimeout(), clock, events);
        LifeSign sign = new LifeSign(server, limits.postgresTimeout().dividedBy(2));
        PostgresWatch postgres = new PostgresWatch(
                new PostgresWatch.Server() {
                    @Override
                    public long run() {
                        return server.answeringPid();
                    }

                    @Override
                    public boolean answers() {
                        return sign.answers();
                    }
                },
                limits.postgresTimeout(),
                clock,
                events);
        disk.start();
        postgres.start();
        return new OwnHealth(disk, postgres, sign);
    }

    /** Core thread, several times a second. */
    void look() {
        disk.look();
        postgres.look();
    }

    @Override
    public void close() {
        disk.close();
        postgres.close();
        sign.close();
    }
}
