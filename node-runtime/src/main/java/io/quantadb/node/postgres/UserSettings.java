package io.quantadb.node.postgres;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** Which settings of PostgreSQL a user may choose, and which belong to the cluster. */
public final class UserSettings {
    /** Belong to the cluster whatever their value; changing one could lose commits or shut the agent out. */
    static final Set<String> OWNED = Set.of(
            "allow_in_place_tablespaces",
            "archive_cleanup_command",
            "archive_command",
            "archive_library",
            "archive_mode",
            "config_file",
            "data_directory",
            "data_sync_retry",
            "db_user_namespace",
            "external_pid_file",
            "fsync",
            "full_page_writes",
            "hba_file",
            "hot_standby",
            "ident_file",
            "idle_replication_slot_timeout",
            "lc_messages",
            "listen_addresses",
            "log_destination",
            "log_error_verbosity",
            "log_line_prefix",
            "logging_collector",
            "port",
            "primary_conninfo",
            "primary_slot_name",
            "promote_trigger_file",
            "recovery_end_command",
            "recovery_min_apply_delay",
            "recovery_target",
            "recovery_target_action",
            "recovery_target_inclusive",
            "recovery_target_lsn",
            "recovery_target_name",
            "recovery_target_time",
            "recovery_target_timeline",
            "recovery_target_xid",
            "restart_after_crash",
            "restore_command",
            "synchronous_commit",
            "synchronous_standby_names",
            "unix_socket_directories",
            "unix_socket_group",
            "unix_socket_permissions",
            "wal_log_hints",
            "wal_receiver_create_temp_slot",
            "wal_receiver_status_interval",
            "wal_receiver_timeout",
            "wal_retrieve_retry_interval");

    static final int MAX_WAL_SENDERS_LEAST = 20;
    static final int MAX_REPLICATION_SLOTS_LEAST = 20;

    /** Everything from warnings down must reach the log: the cancelled wait is a warning. */
    static final List<String> LOG_MIN_MESSAGES =
            List.of("debug5", "debug4", "debug3", "debug2", "debug1", "info", "notice", "warning");

    private static final Pattern NAME = Pattern.compile("[a-z_][a-z0-9_$]*(\\.[a-z_][a-z0-9_$]*)?");

    private UserSettings() {}

    /** Whether the setting is the cluster's, whatever a file says; the name in lower case. */
    public static boolean isOwned(String name) {
        return OWNED.contains(name);
    }

    /** Throws {@link IllegalArgumentException} that names the setting, what is wrong and what to do. */
    static void requireAllowed(Map<String, String> settings) {
        settings.forEach((key, value) -> {
            String name = key.toLowerCase(Locale.ROOT);
            if (!NAME.matcher(name).matches()) {
                throw new IllegalArgumentException("postgresql setting '%s' is not a setting's name".formatted(key));
            }
            if (OWNED.contains(name)) {
                throw new IllegalArgumentException(
                        "postgresql setting '%s' belongs to the cluster and cannot be chosen: remove it"
                                .formatted(key));
            }
            requireOneLine(key, value);
            switch (name) {
                case "max_wal_senders" -> requireAtLeast(name, value, MAX_WAL_SENDERS_LEAST);
                case "max_replication_slots" -> requireAtLeast(name, value, MAX_REPLICATION_SLOTS_LEAST);
                case WalBound.NAME -> WalBound.require(value);
                case "wal_level" -> requireOneOf(name, value, List.of("replica", "logical"));
                case "log_min_messages" -> requireOneOf(name, value, LOG_MIN_MESSAGES);
                default -> {}
            }
        });
    }

    static void requireOneLine(String what, String value) {
        if (value.indexOf('\n') >= 0 || value.indexOf('\r') >= 0 || value.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("postgresql setting '%s' spans several lines".formatted(what));
        }
    }

    private static void requireAtLeast(String name, String value, int least) {
        try {
            if (Integer.parseInt(value.strip()) >= least) {
                return;
            }
        } catch (NumberFormatException e) {
            // Said below, with the bound.
        }
        throw new IllegalArgumentException(
                "postgresql setting %s=%s: the cluster needs a number of at least %d".formatted(name, value, least));
    }

    private static void requireOneOf(String name, String value, List<String> allowed) {
        if (!allowed.contains(value.strip().toLowerCase(Locale.ROOT))) {
            throw new IllegalArgumentException("postgresql setting %s=%s: the cluster allows %s"
                    .formatted(name, value, String.join(", ", allowed)));
        }
    }
}
