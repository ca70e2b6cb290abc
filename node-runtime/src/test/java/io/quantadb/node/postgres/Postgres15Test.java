package io.quantadb.node.postgres;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/** The installed PostgreSQL 15. */
class Postgres15Test extends RealServerScenarios {
    private static final Path BIN = Path.of("/usr/lib/postgresql/15/bin");

    @Override
    BinaryFinder.Wanted wanted() {
        assumeTrue(Files.isExecutable(BIN.resolve("postgres")), "PostgreSQL 15 is not installed in " + BIN);
        return new BinaryFinder.Wanted(BIN, null, 15);
    }
}
