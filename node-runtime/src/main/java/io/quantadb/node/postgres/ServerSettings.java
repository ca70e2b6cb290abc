package io.quantadb.node.postgres;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Renders what PostgreSQL is started with; pure.
 *
 * <p>Three layers, weakest first: defaults that suit a cluster and the data directory's own postgresql.conf; the user's
 * settings, after them in the agent's configuration file (ALTER SYSTEM still wins over these); and the settings that the
 * cluster owns, on the command line, where neither a file nor ALTER SYSTEM can change them.
 */
final class ServerSettings {
    private ServerSettings() {}

    /** The settings that the cluster owns, in a fixed order. */
    static Map<String, String> owned(ServerConfig config) {
        var owned = new LinkedHashMap<String, String>();
        owned.put("config_file", config.configFile().toString());
        owned.put("hba_file", config.hbaFile().toString());
        owned.put("ident_file", config.identFile().toString());
        owned.put("listen_addresses", "");
        owned.put("port", Integer.toString(config.port()));
        owned.put(
                "unix_socket_directories",
                quotedDirectory(config.socketDirectory().toString()));
        owned.put("unix_socket_permissions", "0700");

        owned.put("fsync", "on");
        owned.put("full_page_writes", "on");
        owned.put("wal_log_hints", "on");
        owned.put("data_sync_retry", "off");
        owned.put("wal_level", chosen(config, "wal_level", "replica"));
        owned.put("restart_after_crash", "off");
        owned.put("synchronous_commit", "on");
        owned.put("synchronous_standby_names", config.clustered() ? "ANY 1 (" + ServerConfig.VOICE_NAME + ")" : "");

        owned.put("hot_standby", "on");
        owned.put("primary_conninfo", primaryConninfo(config));
        owned.put("primary_slot_name", "");
        owned.put("recovery_target_timeline", "latest");
        owned.put("wal_retrieve_retry_interval", "20ms");
        owned.put("wal_receiver_status_interval", "1s");
        owned.put("wal_receiver_timeout", "30s");
        owned.put("wal_receiver_create_temp_slot", "off");
        owned.put("max_wal_senders", chosen(config, "max_wal_senders", "" + UserSettings.MAX_WAL_SENDERS_LEAST));
        owned.put(
                "max_replication_slots",
                chosen(config, "max_replication_slots", "" + UserSettings.MAX_REPLICATION_SLOTS_LEAST));
        owned.put(WalBound.NAME, chosen(config, WalBound.NAME, WalBound.MOST_MB + "MB"));
        if (config.binaries().major() >= 18) {
            // How long a member may be away is a matter of the disk, not of the clock.
            owned.put("idle_replication_slot_timeout", "0");
        }

        owned.put("archive_mode", "off");
        owned.put("log_destination", "stderr");
        owned.put("logging_collector", "off");
        owned.put("log_min_messages", chosen(config, "log_min_messages", "warning"));
        owned.put("log_error_verbosity", "verbose");
        owned.put("log_line_prefix", ServerLog.LINE_PREFIX);
        owned.put("lc_messages", "C");
        if (config.binaries().major() < 17) {
            // Would let "quantadb@" pass for the agent's role.
            owned.put("db_user_namespace", "off");
        }
        return owned;
    }

    /** {@code postgres -D … -c name=value …}. */
    static List<String> commandLine(ServerConfig config) {
        var line = new ArrayList<String>();
        line.add(config.binaries().postgres().toString());
        line.add("-D");
        line.add(config.dataDirectory().toString());
        owned(config).forEach((name, value) -> {
            line.add("-c");
            line.add(name + "=" + value);
        });
        return line;
    }

    /** The agent's configuration file: defaults, the data directory's own file, the user's settings. */
    static String configFile(ServerConfig config) {
        var defaults = new LinkedHashMap<String, String>();
        // Slots keep what members need; this is for what has none: the voice, and a member that found no slot free.
        defaults.put("wal_keep_size", "128MB");
        defaults.put("log_startup_progress_interval", "5s");
        // Statements may carry secrets: they are logged when the user asks for it.
        defaults.put("log_min_error_statement", "panic");

        var text =
                new StringBuilder("# Written by the agent at every start: change the node's configuration instead.\n");
        defaults.forEach((name, value) -> line(text, name, value));
        text.append("include_if_exists = ")
                .append(quoted(config.dataDirectory().resolve("postgresql.conf").toString()))
                .append('\n');
        var user = new TreeMap<String, String>();
        config.settings().forEach((name, value) -> user.put(name.toLowerCase(Locale.ROOT), value));
        user.forEach((name, value) -> line(text, name, value));
        return text.toString();
    }

    /** The agent comes in as its operating-system user, everybody else by the user's rules. */
    static String hbaFile(ServerConfig config) {
        var text = new StringBuilder();
        text.append("local all ").append(ServerConfig.AGENT_ROLE).append(" peer map=quantadb\n");
        text.append("local replication ").append(ServerConfig.AGENT_ROLE).append(" peer map=quantadb\n");
        text.append("local postgres ").append(ServerConfig.REWIND_ROLE).append(" peer map=quantadb\n");
        text.append("local all ").append(ServerConfig.REWIND_ROLE).append(" reject\n");
        config.hbaLines().forEach(line -> text.append(line).append('\n'));
        if (config.hbaLines().isEmpty()) {
            text.append("local all all scram-sha-256\n");
        }
        return text.toString();
    }

    static String identFile(ServerConfig config) {
        var text = new StringBuilder();
        text.append("quantadb \"")
                .append(config.user().agentName())
                .append("\" ")
                .append(ServerConfig.REWIND_ROLE)
                .append('\n');
        var users = new ArrayList<String>();
        users.add(config.user().agentName());
        users.addAll(config.peerUsers());
        users.stream()
                .distinct()
                .forEach(name -> text.append("quantadb \"")
                        .append(name)
                        .append("\" ")
                        .append(ServerConfig.AGENT_ROLE)
                        .append('\n'));
        return text.toString();
    }

    private static String primaryConninfo(ServerConfig config) {
        ServerConfig.Upstream upstream = config.upstream();
        if (upstream == null) {
            return "";
        }
        String host =
                upstream.socketDirectory().toString().replace("\\", "\\\\").replace("'", "\\'");
        return "host='%s' port=%d user=%s application_name=quantadb sslmode=disable gssencmode=disable"
                .formatted(host, upstream.port(), ServerConfig.AGENT_ROLE);
    }

    private static String chosen(ServerConfig config, String name, String otherwise) {
        return config.settings().entrySet().stream()
                .filter(e -> e.getKey().equalsIgnoreCase(name))
                .map(Map.Entry::getValue)
                .findFirst()
                .orElse(otherwise);
    }

    private static void line(StringBuilder text, String name, String value) {
        text.append(name).append(" = ").append(quoted(value)).append('\n');
    }

    private static String quoted(String value) {
        return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'";
    }

    /** unix_socket_directories is a list: a path with a comma or blank must be quoted as an identifier is. */
    private static String quotedDirectory(String path) {
        return '"' + path.replace("\"", "\"\"") + '"';
    }
}
