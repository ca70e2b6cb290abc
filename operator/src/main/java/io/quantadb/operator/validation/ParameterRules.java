package io.quantadb.operator.validation;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which settings of PostgreSQL a user may choose. The node refuses the same ones, at its start; here they are refused
 * before a node would fail to start. A test compares the two lists.
 */
final class ParameterRules {
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

    private static final Pattern NAME = Pattern.compile("[a-z_][a-z0-9_$]*(\\.[a-z_][a-z0-9_$]*)?");
    private static final Pattern SIZE = Pattern.compile("(\\d{1,12})\\s*(kB|MB|GB|TB|)");
    private static final Map<String, Long> KILOBYTES =
            Map.of("kB", 1L, "MB", 1L << 10, "", 1L << 10, "GB", 1L << 20, "TB", 1L << 30);
    private static final Map<String, Integer> AT_LEAST = Map.of("max_wal_senders", 20, "max_replication_slots", 20);

    private ParameterRules() {}

    /** What is wrong, one sentence a setting, in the order of their names. */
    static List<String> violations(Map<String, String> parameters) {
        var violations = new ArrayList<String>();
        new TreeMap<>(parameters).forEach((key, value) -> {
            String name = key.toLowerCase(Locale.ROOT);
            if (!NAME.matcher(name).matches()) {
                violations.add("'%s' is not a setting's name".formatted(key));
            } else if (OWNED.contains(name)) {
                violations.add("'%s' belongs to the cluster and cannot be chosen: remove it".formatted(key));
            } else if (value.chars().anyMatch(c -> c == '\n' || c == '\r' || c == 0)) {
                violations.add("'%s' spans several lines".formatted(key));
            } else if (AT_LEAST.containsKey(name) && !isAtLeast(value, AT_LEAST.get(name))) {
                violations.add("'%s' must be a number of at least %d".formatted(key, AT_LEAST.get(name)));
            } else if (name.equals("max_slot_wal_keep_size") && !isBound(value)) {
                violations.add("'max_slot_wal_keep_size' must be a size of at least 64MB");
            } else if (name.equals("wal_level") && !Set.of("replica", "logical").contains(value.strip())) {
                violations.add("'wal_level' must be replica or logical");
            }
        });
        return List.copyOf(violations);
    }

    private static boolean isBound(String value) {
        Matcher size = SIZE.matcher(value.strip());
        return size.matches()
                && Double.parseDouble(size.group(1)) * KILOBYTES.getOrDefault(size.group(2), 0L) >= 64 << 10;
    }

    private static boolean isAtLeast(String value, int least) {
        try {
            return Integer.parseInt(value.strip()) >= least;
        } catch (NumberFormatException e) {
            return false;
        }
    }
}
