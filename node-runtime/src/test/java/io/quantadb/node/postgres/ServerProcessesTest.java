package io.quantadb.node.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ServerProcessesTest {
    @ParameterizedTest
    @CsvSource({
        "/usr/lib/postgresql/15/bin/postgres, true",
        "/opt/pg/postgres (deleted), true",
        "/usr/bin/bash, false",
        "/, false"
    })
    void knowsAServerByItsExecutable(Path executable, boolean server) {
        assertThat(ServerProcesses.isPostgres(executable)).isEqualTo(server);
    }
}
