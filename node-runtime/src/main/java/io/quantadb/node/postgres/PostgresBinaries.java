package io.quantadb.node.postgres;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * One installation of PostgreSQL: {@code postgres} and {@code initdb} are there and of this version; other tools may
 * be missing (the bundle from Maven Central has neither psql nor pg_rewind).
 */
public record PostgresBinaries(Path binDir, PostgresVersion version) {
    /** Of a witness, which runs no server. */
    public static final PostgresBinaries NONE = new PostgresBinaries(Path.of("/"), PostgresVersion.NONE);

    public Path postgres() {
        return binDir.resolve("postgres");
    }

    public Path initdb() {
        return binDir.resolve("initdb");
    }

    /** An optional tool such as psql, pgbench or pg_rewind. */
    public Optional<Path> tool(String name) {
        return Optional.of(binDir.resolve(name)).filter(Files::isExecutable);
    }

    public int major() {
        return version.major();
    }
}
