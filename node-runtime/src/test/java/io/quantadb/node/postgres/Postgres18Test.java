package io.quantadb.node.postgres;

import java.nio.file.Files;
import java.nio.file.Path;

/** PostgreSQL 18 as Maven brings it, found in the local repository where that is laid out as Maven does. */
class Postgres18Test extends RealServerScenarios {
    private static final Path JAR = TestingBundle.jar();

    @Override
    BinaryFinder.Wanted wanted() {
        boolean searchable = Files.isDirectory(mavenRepository().resolve("io/zonky/test/postgres"));
        return new BinaryFinder.Wanted(null, searchable ? null : JAR, 18);
    }

    @Override
    Path mavenRepository() {
        // <repository>/io/zonky/test/postgres/<artifact>/<version>/<jar>
        return JAR.resolve("../../../../../../..").normalize();
    }
}
