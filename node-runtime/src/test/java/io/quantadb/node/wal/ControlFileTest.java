package io.quantadb.node.wal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.pgwire.PgConnection;
import io.quantadb.node.pgwire.QueryResult;
import io.quantadb.node.testing.PostgresVersion;
import io.quantadb.node.testing.TestingPostgres;
import io.quantadb.node.wal.ControlFile.State;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ControlFileTest {
    @TempDir
    private Path dir;

    @ParameterizedTest
    @EnumSource
    void saysWhatTheServerSays(PostgresVersion version) {
        try (TestingPostgres server = TestingPostgres.create(version).start();
                PgConnection c = server.connect()) {
            // Given
            c.query("CHECKPOINT", TestingPostgres.WAIT);
            QueryResult checkpoint = c.query("SELECT * FROM pg_control_checkpoint()", TestingPostgres.WAIT);
            QueryResult system = c.query("SELECT * FROM pg_control_system()", TestingPostgres.WAIT);
            QueryResult recovery = c.query("SELECT * FROM pg_control_recovery()", TestingPostgres.WAIT);
            QueryResult init = c.query("SELECT * FROM pg_control_init()", TestingPostgres.WAIT);

            // When
            ControlFile control = ControlFile.read(server.dataDirectory());

            // Then
            assertThat(control.majorVersion()).isEqualTo(version.major());
            assertThat(control.versionNumber() + "").isEqualTo(system.value(0, "pg_control_version"));
            assertThat(control.catalogVersion() + "").isEqualTo(system.value(0, "catalog_version_no"));
            assertThat(control.systemIdentifier() + "").isEqualTo(system.value(0, "system_identifier"));
            assertThat(control.checkpoint().toString()).isEqualTo(checkpoint.value(0, "checkpoint_lsn"));
            assertThat(control.redo().toString()).isEqualTo(checkpoint.value(0, "redo_lsn"));
            assertThat(control.checkpointTimeline() + "").isEqualTo(checkpoint.value(0, "timeline_id"));
            assertThat(control.minRecovery().toString()).isEqualTo(recovery.value(0, "min_recovery_end_lsn"));
            assertThat(control.minRecoveryTimeline() + "").isEqualTo(recovery.value(0, "min_recovery_end_timeline"));
            assertThat(control.backupStart().toString()).isEqualTo(recovery.value(0, "backup_start_lsn"));
            assertThat(control.walSegmentBytes() + "").isEqualTo(init.value(0, "bytes_per_wal_segment"));
            assertThat(control.walBlockBytes() + "").isEqualTo(init.value(0, "wal_block_size"));
            assertThat(control.dataChecksums()).isEqualTo(!"0".equals(init.value(0, "data_page_checksum_version")));
            assertThat(control.state()).isEqualTo(State.IN_PRODUCTION);
            server.stop();
            assertThat(ControlFile.read(server.dataDirectory()).state()).isEqualTo(State.SHUTDOWNED);
        }
    }

    @Test
    void refusesAFileThatIsDamagedShortOrMissing() throws IOException {
        // Given
        Path global = Files.createDirectory(dir.resolve("global"));

        // When
        assertThatThrownBy(() -> ControlFile.read(dir)).isInstanceOf(LocalFault.class);
        Files.write(global.resolve("pg_control"), new byte[100]);
        assertThatThrownBy(() -> ControlFile.read(dir)).hasMessageContaining("only 100 bytes");
        byte[] noise = new byte[8192];
        new SplittableRandom(1).nextBytes(noise);
        Files.write(global.resolve("pg_control"), noise);

        // Then
        assertThatThrownBy(() -> ControlFile.read(dir)).hasMessageContaining("layout version");
        noise[8] = (byte) 0x14;
        noise[9] = 5;
        noise[10] = 0;
        noise[11] = 0;
        Files.write(global.resolve("pg_control"), noise);
        assertThatThrownBy(() -> ControlFile.read(dir)).hasMessageContaining("checksum is wrong");
    }
}
