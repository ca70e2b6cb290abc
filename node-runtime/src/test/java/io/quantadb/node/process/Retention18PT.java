package io.quantadb.node.process;

import io.quantadb.node.testing.PostgresVersion;

/** The newest supported PostgreSQL, which lets nobody stream by a lost slot. */
class Retention18PT extends RetentionScenarios {
    @Override
    PostgresVersion version() {
        return PostgresVersion.V18;
    }
}
