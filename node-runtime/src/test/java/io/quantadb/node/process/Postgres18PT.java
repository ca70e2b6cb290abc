package io.quantadb.node.process;

import io.quantadb.node.testing.PostgresVersion;

/** The newest PostgreSQL, brought by Maven. */
class Postgres18PT extends FaultScenarios {
    @Override
    PostgresVersion version() {
        return PostgresVersion.V18;
    }
}
