package io.quantadb.node.adopt;

import io.quantadb.node.postgres.ConfFile;
import io.quantadb.node.postgres.UserSettings;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What becomes of the settings of an adopted server. Its own file goes with every copy of the data, to other machines too:
 * so it keeps what is true everywhere, and what the cluster owns, or what names files of this machine, is left out. Pure.
 */
final class SettingsPlan {
    /** Name files or groups of this machine. */
    private static final Set<String> LOCAL = Set.of(
            "dynamic_library_path",
            "krb_server_keyfile",
            "log_directory",
            "log_file_mode",
            "log_filename",
            "ssl",
            "ssl_ca_file",
            "ssl_cert_file",
            "ssl_crl_dir",
            "ssl_crl_file",
            "ssl_dh_params_file",
            "ssl_key_file",
            "ssl_passphrase_command",
            "stats_temp_directory",
            "wal_receiver_create_temp_slot");

    /** Not read from any file: the agent gives them to the server, from the node's own settings. */
    private static final Set<String> OF_THE_NODE = Set.of(
            "log_min_messages", "max_replication_slots", "max_slot_wal_keep_size", "max_wal_senders", "wal_level");

    /**
     * A setting that does not stay.
     *
     * @param becomes what holds instead
     */
    record Dropped(String name, String value, String becomes) {}

    private SettingsPlan() {}

    private static boolean stays(String name) {
        return !UserSettings.isOwned(name) && !LOCAL.contains(name) && !OF_THE_NODE.contains(name);
    }

    /** What stays, by name. */
    static Map<String, String> kept(ConfFile file) {
        Map<String, String> out = new LinkedHashMap<>();
        file.effective().forEach((name, setting) -> {
            if (stays(name)) {
                out.put(name, setting.value());
            }
        });
        return out;
    }

    static boolean dropsAny(ConfFile file) {
        return file.settings().stream().anyMatch(setting -> !stays(setting.name()));
    }

    /** What does not stay of what counted, with what takes its place. */
    static List<Dropped> dropped(ConfFile file, ConfFile auto) {
        Map<String, ConfFile.Setting> all = file.effective();
        all.putAll(auto.effective());
        List<Dropped> out = new ArrayList<>();
        all.forEach((name, setting) -> {
            if (!stays(name) && !saysNothing(name)) {
                out.add(new Dropped(name, setting.value(), becomes(name)));
            }
        });
        return out;
    }

    /** In every file that initdb writes. */
    private static boolean saysNothing(String name) {
        return name.equals("lc_messages");
    }

    private static String becomes(String name) {
        if (OF_THE_NODE.contains(name)) {
            return "postgres.parameters of the node";
        }
        if (name.startsWith("archive_")) {
            return "off: this archive ends here";
        }
        if (name.startsWith("ssl")) {
            return "left out; clients see client_tls of the node";
        }
        if (name.startsWith("log") || name.equals("lc_messages")) {
            return "the agent's: it reads the server's log";
        }
        if (name.startsWith("recovery_") || name.endsWith("_command") || name.startsWith("primary_")) {
            return "the agent's: it restores and streams";
        }
        return switch (name) {
            case "listen_addresses", "port" -> "host and port of the node";
            case "unix_socket_directories", "unix_socket_group", "unix_socket_permissions" ->
                "a private folder; clients come to the node's port";
            case "synchronous_commit", "synchronous_standby_names" -> "the cluster's mode: quantadb mode";
            case "fsync", "full_page_writes", "wal_log_hints", "hot_standby" -> "on";
            case "config_file", "data_directory", "hba_file", "ident_file", "external_pid_file" -> "the agent's";
            default -> UserSettings.isOwned(name) ? "the cluster's" : "left out: it names files of this machine";
        };
    }
}
