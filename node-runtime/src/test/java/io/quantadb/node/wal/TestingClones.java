package io.quantadb.node.wal;

import io.quantadb.node.pgwire.PgConnection;
import io.quantadb.node.testing.TestingPostgres;

/** Base backups for tests. */
final class TestingClones {
    private TestingClones() {}

    static BaseBackupClient.Result clone(PgConnection source, TestingPostgres target) {
        return BaseBackupClient.clone(
                source,
                new BaseBackupRequest(
                        target.dataDirectory(),
                        "test",
                        TestingPostgres.owner(),
                        BaseBackupRequest.DEFAULT_STALL,
                        0,
                        progress -> {}));
    }
}
