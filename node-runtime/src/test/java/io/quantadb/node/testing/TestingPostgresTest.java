package io.quantadb.node.testing;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TestingPostgresTest {
    @ParameterizedTest
    @EnumSource
    void startsAnswersDiesAndComesBack(PostgresVersion version) {
        try (TestingPostgres server = TestingPostgres.create(version)) {
            // Given
            server.start();
            server.query("CREATE TABLE t AS SELECT 42 AS a");

            // When
            server.kill9();
            boolean afterKill = server.isRunning();
            server.start();

            // Then
            assertThat(afterKill).isFalse();
            assertThat(server.query("SELECT a FROM t").single()).isEqualTo("42");
            assertThat(server.query("SHOW server_version_num").single()).startsWith(Integer.toString(version.major()));
            server.stop();
            assertThat(server.isRunning()).isFalse();
        }
    }
}
