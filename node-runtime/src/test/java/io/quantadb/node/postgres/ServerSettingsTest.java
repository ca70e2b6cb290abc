package io.quantadb.node.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ServerSettingsTest {
    @ParameterizedTest
    @CsvSource({
        "fsync, off, belongs to the cluster",
        "Synchronous_Standby_Names, x, belongs to the cluster",
        "primary_conninfo, host=x, belongs to the cluster",
        "restart_after_crash, on, belongs to the cluster",
        "recovery_min_apply_delay, 1h, belongs to the cluster",
        "max_wal_senders, 3, at least 20",
        "max_replication_slots, many, at least 20",
        "max_slot_wal_keep_size, -1, at least 64MB",
        "max_slot_wal_keep_size, 63, at least 64MB",
        "max_slot_wal_keep_size, 65535kB, at least 64MB",
        "max_slot_wal_keep_size, 1gb, at least 64MB",
        "idle_replication_slot_timeout, 1d, belongs to the cluster",
        "wal_level, minimal, 'replica, logical'",
        "log_min_messages, error, warning",
        "'work mem', 4MB, not a setting's name",
    })
    void refusesASettingOfTheClusterByName(String name, String value, String words) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> config(15, Map.of(name, value)))
                .withMessageContaining(name)
                .withMessageContaining(words);
    }

    @Test
    void refusesAValueThatWouldAddALine() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> config(15, Map.of("work_mem", "4MB'\nfsync=off")))
                .withMessageContaining("several lines");
    }

    @Test
    void everyOwnedSettingIsRefusedToTheUserOrCheckedAgainstAFloor() {
        // Given
        Set<String> floors = Set.of(
                "wal_level", "max_wal_senders", "max_replication_slots", "max_slot_wal_keep_size", "log_min_messages");

        // When
        var owned = new TreeSet<>(ServerSettings.owned(config(15, Map.of())).keySet());
        owned.addAll(ServerSettings.owned(config(18, Map.of())).keySet());

        // Then
        assertThat(owned).allMatch(name -> UserSettings.OWNED.contains(name) || floors.contains(name));
    }

    @Test
    void keepsTheUsersSettingsQuotedAfterTheDefaultsAndTheDirectorysOwnFile() {
        // Given
        var config = config(18, Map.of("Work_Mem", "4MB", "search_path", "it's\\here", "wal_level", "logical"));

        // When
        String file = ServerSettings.configFile(config);

        // Then
        assertThat(file)
                .containsSubsequence(
                        "wal_keep_size = '128MB'",
                        "include_if_exists = '/d/postgresql.conf'",
                        "search_path = 'it''s\\\\here'",
                        "work_mem = '4MB'");
        assertThat(ServerSettings.commandLine(config)).contains("wal_level=logical");
    }

    @ParameterizedTest
    @CsvSource({"64MB", "64", "65536kB", "10GB", "1 TB"})
    void takesTheUsersBoundOfWalKeptForMembers(String size) {
        // When
        var owned = ServerSettings.owned(config(15, Map.of("Max_Slot_Wal_Keep_Size", size)));

        // Then
        assertThat(owned).containsEntry("max_slot_wal_keep_size", size);
    }

    @ParameterizedTest
    @CsvSource({"0, 4096MB", "100000, 64MB", "2000000000, 476MB", "1000000000000, 4096MB"})
    void keepsAQuarterOfTheDiskOtherwise(long diskBytes, String bound) {
        assertThat(WalBound.forDisk(diskBytes)).isEqualTo(bound);
    }

    @Test
    void dialsTheRelayAndMapsOnlyTheAgentToItsRole() {
        // When
        var owned = ServerSettings.owned(config(15, Map.of()));

        // Then
        assertThat(owned)
                .containsEntry("synchronous_standby_names", "ANY 1 (quantadb_voice)")
                .containsEntry("db_user_namespace", "off")
                .containsEntry(
                        "primary_conninfo",
                        "host='/r' port=7 user=quantadb application_name=quantadb sslmode=disable gssencmode=disable");
        assertThat(ServerSettings.owned(config(18, Map.of()))).doesNotContainKey("db_user_namespace");
        assertThat(ServerSettings.identFile(config(15, Map.of()))).isEqualTo("""
                        quantadb "root" quantadb_rewind
                        quantadb "root" quantadb
                        """);
        assertThat(ServerSettings.hbaFile(config(15, Map.of()))).isEqualTo("""
                        local all quantadb peer map=quantadb
                        local replication quantadb peer map=quantadb
                        local postgres quantadb_rewind peer map=quantadb
                        local all quantadb_rewind reject
                        local all all scram-sha-256
                        """);
    }

    private static ServerConfig config(int major, Map<String, String> settings) {
        var user = new ServerUser("postgres", 101, 104, Set.of(), "root", true, Optional.empty(), Optional.empty());
        return new ServerConfig(
                new PostgresBinaries(Path.of("/b"), new PostgresVersion(major, major + ".1")),
                user,
                Path.of("/d"),
                Path.of("/p"),
                Path.of("/s"),
                5432,
                true,
                new ServerConfig.Upstream(Path.of("/r"), 7),
                settings,
                List.of(),
                List.of());
    }
}
