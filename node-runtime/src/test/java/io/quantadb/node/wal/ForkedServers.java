package io.quantadb.node.wal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.testing.PostgresVersion;
import io.quantadb.node.testing.TestingPostgres;
import java.nio.file.Path;

/** Three servers: one of a timeline that has ended, its heir, and a standby that has all of it. */
final class ForkedServers implements AutoCloseable {
    private final TestingPostgres old;
    final TestingPostgres heir;
    final TestingPostgres follower;
    Lsn fork = Lsn.NONE;

    ForkedServers(PostgresVersion version) {
        old = TestingPostgres.create(version).start();
        heir = TestingPostgres.create(version).set("max_connections", "100").standbyOf(old, "h");
        follower = TestingPostgres.create(version).set("max_connections", "100").standby();
        try {
            old.query("CREATE TABLE t AS SELECT 1 AS a");
            heir.start();
            follower.start();
            follower.follow(old, "f");
            old.query("INSERT INTO t SELECT generate_series(1, 1000)");
            Lsn end = flushed(old);
            awaitReplay(heir, end);
            awaitReplay(follower, end);
            old.kill9();
            heir.query("SELECT pg_promote()");
            fork = TimelineHistory.read(heir.dataDirectory(), 2).switchPointOf(1);
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    Path history() {
        return heir.dataDirectory().resolve("pg_wal").resolve(TimelineHistory.fileName(2));
    }

    /** Where the second timeline begins, in the follower's WAL. */
    Path segment() {
        WalLayout layout = WalLayout.of(ControlFile.read(follower.dataDirectory()));
        return follower.dataDirectory().resolve("pg_wal").resolve(layout.fileName(2, layout.segmentOf(fork)));
    }

    Lsn writeMore() {
        heir.query("INSERT INTO t SELECT generate_series(1, 1000)");
        return flushed(heir);
    }

    private static Lsn flushed(TestingPostgres server) {
        return Lsn.parse(server.query("SELECT pg_current_wal_flush_lsn()").single());
    }

    @Override
    public void close() {
        follower.close();
        heir.close();
        old.close();
    }

    static void awaitReplay(TestingPostgres standby, Lsn position) {
        await().atMost(TestingPostgres.WAIT)
                .untilAsserted(() -> assertThat(Lsn.parse(
                                standby.query("SELECT pg_last_wal_replay_lsn()").single()))
                        .isGreaterThanOrEqualTo(position));
    }
}
