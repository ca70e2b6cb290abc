package io.quantadb.node.adopt;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.adopt.Finding.Level;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.postgres.ConfFile;
import io.quantadb.node.postgres.PostgresBinaries;
import io.quantadb.node.postgres.PostgresVersion;
import io.quantadb.node.postgres.ServerUser;
import io.quantadb.node.postgres.SharedCatalogs;
import io.quantadb.node.postgres.SharedCatalogs.Database;
import io.quantadb.node.postgres.SharedCatalogs.Password;
import io.quantadb.node.postgres.SharedCatalogs.Role;
import io.quantadb.node.wal.ControlFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What is said of a directory that was looked at. */
class JudgeTest {
    private static final Path DATA = Path.of("/srv/pg");
    private static final Path NODE = Path.of("/srv/node");

    /** A look at a directory that can be adopted as it is; each test spoils one thing. */
    private static final class Seen {
        private int major = 15;
        private String owner = "postgres";
        private String mode = "rwx------";
        private ControlFile.State state = ControlFile.State.SHUTDOWNED;
        private boolean checksums = true;
        private final List<Long> processes = new ArrayList<>();
        private final List<String> signals = new ArrayList<>();
        private final List<String> tablespaces = new ArrayList<>();
        private final List<Look.Slot> slots = new ArrayList<>();
        private int newestHistory;
        private final List<ConfFile.Setting> settings = new ArrayList<>();
        private final List<Role> roles = new ArrayList<>(List.of(new Role("shop", false, true, Password.SCRAM)));
        private final List<Database> databases = new ArrayList<>(List.of(new Database("postgres", false, true)));
        private long freeBytes = 100L << 30;
        private @Nullable Adoption adoption;
        private Map<String, String> parameters = Map.of();
        private Map<String, String> troubles = Map.of();

        Seen set(String name, String value) {
            settings.add(new ConfFile.Setting(name, value, DATA.resolve("postgresql.conf"), 1 + settings.size()));
            return this;
        }

        List<Finding> findings() {
            ServerUser user = new ServerUser(
                    "postgres", 101, 104, Set.of(104L), "root", true, Optional.empty(), Optional.empty());
            ControlFile control = new ControlFile(
                    1300, 202209061, 7, state, Lsn.NONE, Lsn.NONE, 3, Lsn.NONE, 0, Lsn.NONE, 1 << 24, 8192, checksums);
            return Judge.findings(new Look(
                    DATA,
                    major,
                    owner,
                    mode,
                    List.of(),
                    control,
                    user,
                    new PostgresBinaries(Path.of("/pg/bin"), new PostgresVersion(15, "15.4")),
                    processes,
                    signals,
                    tablespaces,
                    null,
                    slots,
                    0,
                    newestHistory,
                    DATA.resolve("postgresql.conf"),
                    new ConfFile(settings, List.of(DATA.resolve("postgresql.conf"))),
                    new ConfFile(List.of(), List.of()),
                    4,
                    new SharedCatalogs(roles, databases, List.of()),
                    freeBytes,
                    new Look.Place(
                            NODE,
                            NODE.resolve("postgres"),
                            false,
                            false,
                            false,
                            adoption,
                            null,
                            parameters,
                            List.of(),
                            true),
                    troubles));
        }

        /** The only thing that stands in the way. */
        Finding stop() {
            List<Finding> stops =
                    findings().stream().filter(f -> f.level() == Level.STOP).toList();
            assertThat(stops).hasSize(1);
            return stops.getFirst();
        }

        /** What is noted of this subject. */
        List<Finding> notes(String subject) {
            return findings().stream()
                    .filter(f -> f.level() == Level.NOTE && f.subject().equals(subject))
                    .toList();
        }
    }

    @Test
    void nothingStandsInTheWayOfAPlainDirectory() {
        // When
        List<Finding> findings = new Seen().findings();

        // Then
        assertThat(findings).noneMatch(f -> f.level() == Level.STOP);
        assertThat(findings)
                .contains(Finding.ok("system identifier", "7"), Finding.ok("shutdown", "in order, timeline 3"));
    }

    @Test
    void aServerThatRunsIsToBeStoppedFirst() {
        // Given
        Seen seen = new Seen();
        seen.processes.add(4711L);

        // When / Then
        assertThat(seen.stop().found()).contains("4711");
        assertThat(seen.stop().todo()).contains("pg_ctl stop -m fast -D /srv/pg");
    }

    @Test
    void aVersionThatIsTooOldIsToBeUpgradedFirst() {
        // Given
        Seen seen = new Seen();
        seen.major = 14;

        // When / Then
        assertThat(seen.stop().todo()).contains("15 to 18").contains("pg_upgrade");
    }

    @Test
    void aStandbyAndAnUnfinishedRestoreAreNotAdopted() {
        for (String signal : List.of("standby.signal", "recovery.signal", "backup_label")) {
            // Given
            Seen seen = new Seen();
            seen.signals.add(signal);

            // When / Then
            assertThat(seen.stop().todo()).as(signal).isNotEmpty();
        }
    }

    @Test
    void anotherOwnerIsToBeNamedAndOthersAreToBeKeptOut() {
        // Given
        Seen other = new Seen();
        other.owner = "dba";
        Seen open = new Seen();
        open.mode = "rwxrwxr-x";

        // When / Then
        assertThat(other.stop().todo()).contains("postgres.os_user=dba");
        assertThat(open.stop().todo()).contains("chmod 700 /srv/pg");
    }

    @Test
    void theNameOfTheAgentsRoleMustBeFreeUnlessItWasMadeBefore() {
        // Given
        Seen seen = new Seen();
        seen.roles.add(new Role("quantadb", true, true, Password.NONE));

        // When / Then
        assertThat(seen.stop().todo()).contains("ALTER ROLE quantadb RENAME TO");
        seen.adoption = new Adoption(Adoption.State.BEGUN, DATA, 15, 7, DATA, true, List.of("postgres"), List.of());
        assertThat(seen.findings()).noneMatch(f -> f.level() == Level.STOP);
    }

    @Test
    void logicalSlotsWantTheirWalLevelOnEveryNode() {
        // Given
        Seen seen = new Seen();
        seen.slots.add(new Look.Slot("feed", true));

        // When / Then
        assertThat(seen.stop().todo()).contains("postgres.parameters.wal_level=logical");
        seen.parameters = Map.of("wal_level", "logical");
        assertThat(seen.notes("slots")).hasSize(1);
    }

    @Test
    void whatOthersCannotCopyOrUseStandsInTheWay() {
        // Given
        Seen tablespace = new Seen();
        tablespace.tablespaces.add("/fast");
        Seen history = new Seen();
        history.newestHistory = 4;
        Seen full = new Seen();
        full.freeBytes = 1 << 20;
        Seen noDatabase = new Seen();
        noDatabase.databases.clear();
        Seen slot = new Seen();
        slot.slots.add(new Look.Slot("quantadb_node_x", false));

        // When / Then
        assertThat(tablespace.stop().found()).contains("/fast");
        assertThat(history.stop().found()).contains("timeline 4").contains("of 3");
        assertThat(full.stop().todo()).contains("make room");
        assertThat(noDatabase.stop().todo()).contains("CREATE DATABASE postgres");
        assertThat(slot.stop().found()).contains("quantadb_node_");
    }

    @Test
    void saysWhatBecomesOfEachSettingThatTheClusterOwns() {
        // Given
        Seen seen = new Seen()
                .set("port", "5433")
                .set("work_mem", "9MB")
                .set("archive_mode", "on")
                .set("ssl_cert_file", "/etc/ssl/x")
                .set("wal_level", "logical")
                .set("max_wal_senders", "50")
                .set("listen_addresses", "*");

        // When
        List<Finding> notes = seen.notes("settings");

        // Then
        assertThat(notes)
                .extracting(Finding::found)
                .containsExactly(
                        "port=5433, listen_addresses=*",
                        "archive_mode=on",
                        "ssl_cert_file=/etc/ssl/x",
                        "wal_level=logical, max_wal_senders=50");
        assertThat(notes.getLast().todo()).contains("postgres.parameters");
    }

    @Test
    void aCrashAndMissingChecksumsAndOldPasswordsAreNoted() {
        // Given
        Seen seen = new Seen();
        seen.state = ControlFile.State.IN_PRODUCTION;
        seen.checksums = false;
        seen.roles.add(new Role("old", false, true, Password.MD5));
        seen.roles.add(new Role("bare", false, true, Password.NONE));

        // When / Then
        assertThat(seen.findings()).noneMatch(f -> f.level() == Level.STOP);
        assertThat(seen.notes("shutdown")).hasSize(1);
        assertThat(seen.notes("checksums").getFirst().todo()).contains("pg_checksums");
        assertThat(seen.notes("passwords"))
                .extracting(Finding::found)
                .satisfiesExactly(
                        old -> assertThat(old).startsWith("old "),
                        none -> assertThat(none).startsWith("bare "));
    }

    @Test
    void whatCouldNotBeLookedAtStandsInTheWayWithItsReason() {
        // Given
        Seen seen = new Seen();
        seen.troubles = Map.of("programs", "no usable PostgreSQL found");

        // When / Then
        assertThat(seen.stop().found()).isEqualTo("no usable PostgreSQL found");
    }
}
