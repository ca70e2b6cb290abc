package io.quantadb.node.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.pgwire.PgConnection;
import io.quantadb.node.postgres.SharedCatalogs.Database;
import io.quantadb.node.postgres.SharedCatalogs.Password;
import io.quantadb.node.postgres.SharedCatalogs.Role;
import io.quantadb.node.postgres.SharedCatalogs.Subscription;
import io.quantadb.node.testing.PostgresVersion;
import io.quantadb.node.testing.TestingPostgres;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SharedCatalogsTest {
    @ParameterizedTest
    @EnumSource(PostgresVersion.class)
    void readsOfAStoppedServerWhatItsCatalogsSaid(PostgresVersion version) {
        try (TestingPostgres server =
                TestingPostgres.create(version).set("autovacuum", "off").start()) {
            // Given
            run(
                    server,
                    "CREATE ROLE plain LOGIN",
                    "CREATE ROLE boss SUPERUSER PASSWORD 'x'",
                    "CREATE ROLE \"Ol d\" LOGIN",
                    "SET password_encryption = 'md5'",
                    "ALTER ROLE \"Ol d\" PASSWORD 'y'",
                    "CREATE ROLE gone",
                    "DROP ROLE gone",
                    "CREATE ROLE before",
                    "ALTER ROLE before RENAME TO after",
                    "BEGIN",
                    "CREATE ROLE never",
                    "ROLLBACK",
                    "CREATE DATABASE shop",
                    "CREATE SUBSCRIPTION feed CONNECTION 'host=/nowhere' PUBLICATION p"
                            + " WITH (connect = false, slot_name = NONE)");
            // Another file for the same catalog.
            run(server, "VACUUM FULL pg_authid", "CREATE ROLE last");
            server.stop();

            // When
            SharedCatalogs read = SharedCatalogs.read(server.dataDirectory());

            // Then
            assertThat(read.roles())
                    .filteredOn(role -> !role.name().startsWith("pg_"))
                    .containsExactlyInAnyOrder(
                            new Role("postgres", true, true, Password.NONE),
                            new Role("plain", false, true, Password.NONE),
                            new Role("boss", true, false, Password.SCRAM),
                            new Role("Ol d", false, true, Password.MD5),
                            new Role("after", false, false, Password.NONE),
                            new Role("last", false, false, Password.NONE));
            assertThat(read.databases())
                    .containsExactlyInAnyOrder(
                            new Database("template0", true, false),
                            new Database("template1", true, true),
                            new Database("postgres", false, true),
                            new Database("shop", false, true));
            assertThat(read.subscriptions()).containsExactly(new Subscription("feed", false));
        }
    }

    private static void run(TestingPostgres server, String... statements) {
        try (PgConnection session = server.connect()) {
            for (String statement : statements) {
                var _ = session.query(statement, TestingPostgres.WAIT);
            }
        }
    }

    @Test
    void saysWhatIsMissing(@TempDir Path dir) {
        assertThatThrownBy(() -> SharedCatalogs.read(dir))
                .isInstanceOf(LocalFault.class)
                .hasMessageContaining("no such file or directory");
    }
}
