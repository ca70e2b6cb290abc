package io.quantadb.node.adopt;

import io.quantadb.node.common.SlotNames;
import io.quantadb.node.postgres.ConfFile;
import io.quantadb.node.postgres.PostgresVersion;
import io.quantadb.node.postgres.ServerConfig;
import io.quantadb.node.postgres.ServerUser;
import io.quantadb.node.postgres.SharedCatalogs;
import io.quantadb.node.wal.ControlFile;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** Makes of what was seen what to do about it. Pure. */
final class Judge {
    private static final long ROOM_NEEDED = 256L << 20;
    private static final long ROOM_WANTED = 2L << 30;
    private static final int NAMES_SHOWN = 5;

    private final Look look;
    private final List<Finding> out = new ArrayList<>();

    private Judge(Look look) {
        this.look = look;
    }

    /** In the order in which they are shown; nothing stands in the way when none is a {@link Finding.Level#STOP}. */
    static List<Finding> findings(Look look) {
        Judge judge = new Judge(look);
        judge.version();
        judge.server();
        judge.place();
        judge.owner();
        judge.state();
        judge.signals();
        judge.disk();
        judge.replication();
        judge.settings();
        judge.access();
        judge.catalogs();
        return List.copyOf(judge.out);
    }

    private void ok(String subject, String found) {
        out.add(Finding.ok(subject, found));
    }

    private void note(String subject, String found, String todo) {
        out.add(Finding.note(subject, found, todo));
    }

    private void stop(String subject, String found, String todo) {
        out.add(Finding.stop(subject, found, todo));
    }

    /** Whether it could not be looked at, which is told then. */
    private boolean trouble(String subject, String todo) {
        String why = look.troubles().get(subject);
        if (why == null) {
            return false;
        }
        stop(subject, why, todo);
        return true;
    }

    private void version() {
        if (look.major() < PostgresVersion.OLDEST_MAJOR || look.major() > PostgresVersion.NEWEST_MAJOR) {
            stop(
                    "version",
                    look.major() == 0 ? "PG_VERSION says no version" : "PostgreSQL " + look.major(),
                    "versions %d to %d can be adopted: upgrade it first (pg_upgrade)"
                            .formatted(PostgresVersion.OLDEST_MAJOR, PostgresVersion.NEWEST_MAJOR));
        } else if (!trouble("programs", "install that version, or name its folder with postgres.bin_dir")) {
            ok(
                    "version",
                    "PostgreSQL %d, programs %s in %s"
                            .formatted(
                                    look.major(),
                                    look.binaries() == null
                                            ? "?"
                                            : look.binaries().version(),
                                    look.binaries() == null
                                            ? "?"
                                            : look.binaries().binDir()));
        }
        if (look.control() != null) {
            ok("system identifier", Long.toUnsignedString(look.control().systemIdentifier()));
        } else {
            trouble("control file", "restore this directory from a backup");
        }
    }

    private void server() {
        if (look.processes().isEmpty()) {
            ok("server", "none runs on it");
        } else {
            stop(
                    "server",
                    "one runs on it, process " + look.processes().getFirst(),
                    "stop it: pg_ctl stop -m fast -D %s (Debian: pg_ctlcluster), and keep its service from starting again"
                            .formatted(look.real()));
        }
    }

    private void place() {
        Look.Place place = look.place();
        Adoption before = place.adoption();
        if (before != null && before.state() == Adoption.State.RETURNING) {
            stop("node folder", "a return of this directory was begun", "finish it: quantadb adopt --undo");
        } else if (before != null && !before.dataDirectory().equals(look.real())) {
            stop(
                    "node folder",
                    "%s has adopted %s".formatted(place.folder(), before.dataDirectory()),
                    "give this node a folder of its own with --data");
        } else if (before != null && before.state() == Adoption.State.ADOPTED) {
            stop("node folder", "it is adopted already", "start the node, or take it back with quantadb adopt --undo");
        } else if (place.belongsToCluster()) {
            stop(
                    "node folder",
                    "%s belongs to a cluster".formatted(place.folder()),
                    "give this node a folder of its own with --data");
        } else if (place.linkTaken()) {
            stop("node folder", "%s is in the way".formatted(place.link()), "give this node a new folder with --data");
        } else if (place.nested()) {
            stop(
                    "node folder",
                    "%s lies within the data directory".formatted(place.folder()),
                    "give this node a folder beside it with --data");
        } else {
            ok("node folder", "%s; %s will be a link to the data".formatted(place.folder(), place.link()));
        }
    }

    private void owner() {
        Look.Place place = look.place();
        ServerUser user = look.user();
        boolean told = trouble("user", "name the owner of the directory with postgres.os_user");
        if (user != null && !user.name().equals(look.owner())) {
            stop(
                    "owner",
                    "it is user %s's, and PostgreSQL would run as %s".formatted(look.owner(), user.name()),
                    place.agentIsRoot()
                            ? "--set postgres.os_user=%s, for the node too".formatted(look.owner())
                            : "run this as user %s".formatted(look.owner()));
        } else if (user != null
                && place.agentIsRoot()
                && place.configuredUser() == null
                && !look.owner().equals("postgres")) {
            stop(
                    "owner",
                    "it is user %s's, whom a node does not take by itself".formatted(look.owner()),
                    "--set postgres.os_user=%s, for the node too".formatted(look.owner()));
        } else if (!look.strangers().isEmpty()) {
            stop(
                    "owner",
                    "%s belongs to somebody else".formatted(look.strangers().getFirst()),
                    "chown -R %s %s".formatted(look.owner(), look.real()));
        } else if (!look.mode().equals("rwx------") && !look.mode().equals("rwxr-x---")) {
            stop("owner", "mode %s lets others in".formatted(look.mode()), "chmod 700 %s".formatted(look.real()));
        } else if (!told
                && !trouble("way", "choose a directory that this user can reach, or chmod o+x the one named")) {
            ok("owner", "%s, mode %s".formatted(look.owner(), look.mode()));
        }
    }

    private void state() {
        ControlFile control = look.control();
        if (control == null) {
            return;
        }
        if (control.cleanlyShutDown()) {
            ok("shutdown", "in order, timeline %d".formatted(control.checkpointTimeline()));
        } else if (look.processes().isEmpty()) {
            note(
                    "shutdown",
                    "it crashed, or was stopped at once: its WAL is replayed when it is adopted",
                    "for a quicker adoption start it once, and stop it in order");
        }
        if (control.dataChecksums()) {
            ok("checksums", "on");
        } else {
            note(
                    "checksums",
                    "off: damaged pages go unnoticed. wal_log_hints will be on, so that it can be rewound",
                    "if you want them: pg_checksums --enable, before it is adopted");
        }
        if (look.newestHistory() > control.checkpointTimeline()) {
            stop(
                    "timeline",
                    "pg_wal holds the history of timeline %d, and the data are of %d"
                            .formatted(look.newestHistory(), control.checkpointTimeline()),
                    "move that .history file to where you archive WAL");
        }
        if (look.preparedTransactions() > 0) {
            note("transactions", "%d prepared ones are kept as they are".formatted(look.preparedTransactions()), "");
        }
    }

    private void signals() {
        for (String signal : look.signals()) {
            switch (signal) {
                case "standby.signal" ->
                    stop(
                            "standby",
                            "it follows another server",
                            "adopt that one, or promote this one first: pg_ctl promote");
                case "recovery.signal" ->
                    stop("recovery", "a recovery from an archive is not done", "start it, let it finish, and stop it");
                default ->
                    stop("backup", "it is a base backup that was never started", "start it once, and stop it in order");
            }
        }
    }

    private void disk() {
        if (!look.tablespaces().isEmpty()) {
            stop(
                    "tablespaces",
                    shown(look.tablespaces()),
                    "other nodes cannot copy them yet: move what is in them (ALTER … SET TABLESPACE pg_default), drop them");
        } else {
            ok("tablespaces", "none");
        }
        if (look.walElsewhere() != null) {
            note(
                    "pg_wal",
                    "is a link to %s and stays one".formatted(look.walElsewhere()),
                    "should this node ever copy its data anew, WAL will be within the data directory");
        }
        long free = look.freeBytes();
        String room = "%.1f GB are free".formatted(free / (double) (1L << 30));
        if (free < ROOM_NEEDED) {
            stop("disk", room, "make room: a node needs some for WAL that others have not fetched");
        } else if (free < ROOM_WANTED) {
            note("disk", room, "WAL for an absent node takes up to a quarter of the disk (4 GB at most)");
        } else {
            ok("disk", room);
        }
    }

    private void replication() {
        List<String> logical = names(look.slots(), Look.Slot::logical);
        List<String> physical = names(look.slots(), slot -> !slot.logical());
        if (physical.stream().anyMatch(name -> name.startsWith(SlotNames.PREFIX))) {
            stop("slots", "one is named %s…".formatted(SlotNames.PREFIX), "drop it: the cluster uses such names");
        }
        boolean decodes = "logical".equals(look.place().configured().get("wal_level"));
        if (!logical.isEmpty() && !decodes) {
            stop(
                    "slots",
                    "logical: %s; PostgreSQL does not start with them unless wal_level is logical"
                            .formatted(shown(logical)),
                    "--set postgres.parameters.wal_level=logical, for all nodes; or drop them");
        } else if (!logical.isEmpty()) {
            note("slots", "logical: %s".formatted(shown(logical)), "a failover does not take them along");
        }
        if (!physical.isEmpty()) {
            note(
                    "slots",
                    "physical: %s keep WAL for standbys that are not the cluster's".formatted(shown(physical)),
                    "drop those that nobody uses (pg_drop_replication_slot)");
        }
        if (look.slots().isEmpty()) {
            ok("slots", "none");
        }
    }

    private void settings() {
        ConfFile config = look.config();
        if (config == null) {
            trouble("settings", "correct that line");
            return;
        }
        boolean elsewhere = !look.configFile().equals(look.real().resolve("postgresql.conf"));
        ok(
                "settings",
                "%d stay%s"
                        .formatted(
                                SettingsPlan.kept(config).size()
                                        + SettingsPlan.kept(look.auto()).size(),
                                elsewhere
                                        ? ", copied from %s into the data directory".formatted(look.configFile())
                                        : ""));
        Map<String, List<SettingsPlan.Dropped>> byFate = new LinkedHashMap<>();
        SettingsPlan.dropped(config, look.auto()).stream()
                .filter(d -> !d.value().equals(look.place().configured().get(d.name())))
                .forEach(d -> byFate.computeIfAbsent(d.becomes(), fate -> new ArrayList<>())
                        .add(d));
        byFate.forEach((fate, all) -> note(
                "settings",
                all.stream().map(d -> "%s=%s".formatted(d.name(), d.value())).collect(Collectors.joining(", ")),
                "becomes: " + fate));
        ConfFile.Setting preload = config.effective().get("shared_preload_libraries");
        if (preload != null && !preload.value().isBlank()) {
            note("libraries", preload.value(), "install them on every node: PostgreSQL does not start without");
        }
    }

    private void access() {
        if (look.place().hba().isEmpty()) {
            note(
                    "pg_hba.conf",
                    "its %d rules are kept aside: clients come through the node's port".formatted(look.hbaRules()),
                    "everybody needs a password (SCRAM); for other rules set postgres.hba, lines that begin with local");
        } else {
            ok("pg_hba.conf", "postgres.hba of the node takes its place");
        }
    }

    private void catalogs() {
        SharedCatalogs catalogs = look.catalogs();
        if (catalogs == null) {
            trouble("catalogs", "start the server once, and stop it in order");
            return;
        }
        boolean made =
                look.place().adoption() != null && look.place().adoption().roleMade();
        List<SharedCatalogs.Role> roles = catalogs.roles();
        if (!made && roles.stream().anyMatch(role -> role.name().equals(ServerConfig.AGENT_ROLE))) {
            stop(
                    "roles",
                    "one is named %s, as the agent's own must be".formatted(ServerConfig.AGENT_ROLE),
                    "ALTER ROLE %s RENAME TO another".formatted(ServerConfig.AGENT_ROLE));
        } else {
            ok("roles", "%d stay; %s is added for the agent".formatted(count(roles), ServerConfig.AGENT_ROLE));
        }
        passwords(roles);
        List<String> databases = catalogs.databases().stream()
                .filter(database -> !database.template())
                .map(SharedCatalogs.Database::name)
                .toList();
        if (!databases.contains("postgres")) {
            stop("databases", "there is no database postgres, which the agent connects to", "CREATE DATABASE postgres");
        } else {
            ok("databases", shown(databases));
        }
        List<String> subscriptions = catalogs.subscriptions().stream()
                .filter(SharedCatalogs.Subscription::enabled)
                .map(SharedCatalogs.Subscription::name)
                .toList();
        if (!subscriptions.isEmpty()) {
            note(
                    "subscriptions",
                    shown(subscriptions) + " apply without waiting for other nodes",
                    "ALTER SUBSCRIPTION … SET (synchronous_commit = on)");
        }
    }

    private void passwords(List<SharedCatalogs.Role> roles) {
        if (!look.place().hba().isEmpty()) {
            return;
        }
        List<String> old = logins(roles, SharedCatalogs.Password.MD5);
        if (!old.isEmpty()) {
            note(
                    "passwords",
                    "%s have them as md5, which the usual rule does not take".formatted(shown(old)),
                    "set them anew (\\password), or --set postgres.hba='[\"local all all md5\"]'");
        }
        List<String> none = logins(roles, SharedCatalogs.Password.NONE);
        if (!none.isEmpty()) {
            note(
                    "passwords",
                    "%s have none and cannot log in through the node".formatted(shown(none)),
                    "set them (\\password)");
        }
    }

    private static List<String> logins(List<SharedCatalogs.Role> roles, SharedCatalogs.Password password) {
        return roles.stream()
                .filter(role -> role.login()
                        && role.password() == password
                        && !role.name().equals(ServerConfig.AGENT_ROLE))
                .map(SharedCatalogs.Role::name)
                .sorted()
                .toList();
    }

    /** Those that people made. */
    private static long count(List<SharedCatalogs.Role> roles) {
        return roles.stream()
                .filter(role -> !role.name().startsWith("pg_") && !role.name().equals(ServerConfig.AGENT_ROLE))
                .count();
    }

    private static List<String> names(List<Look.Slot> slots, Predicate<Look.Slot> wanted) {
        return slots.stream().filter(wanted).map(Look.Slot::name).toList();
    }

    private static String shown(List<String> names) {
        String first = names.stream().limit(NAMES_SHOWN).collect(Collectors.joining(", "));
        return names.size() > NAMES_SHOWN ? "%s and %d more".formatted(first, names.size() - NAMES_SHOWN) : first;
    }
}
