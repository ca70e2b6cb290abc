package io.quantadb.node.config;

import io.quantadb.node.config.Key.Kind;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Every setting there is, in the order of the reference page. */
final class Keys {
    private static final String REPLICATION = "cluster.replication.";

    static final List<Key> ALL = List.of(
            key("host", Kind.TEXT, "localhost", "", "name or address", "where the node listens"),
            key("advertised_host", Kind.TEXT, "", "`host`", "name or address", "how other nodes reach this one"),
            key("port", Kind.NUMBER, "5432", "", "1 to 65535", "SQL port of this node"),
            key("replication_port", Kind.NUMBER, "", "`port` + 1000", "1 to 65535", "streams between nodes"),
            key("raft_port", Kind.NUMBER, "", "`port` + 2000", "1 to 65535", "control messages between nodes"),
            key("api_port", Kind.NUMBER, "", "`port` + 3000", "1 to 65535", "the HTTP cluster API"),
            key("primary_port", Kind.NUMBER, "", "`port` + 4000", "1 to 65535", "SQL port that follows the primary"),
            key("data_dir", Kind.PATH, "./data", "", "folder", "the node's data; PostgreSQL's lies in it"),
            key(
                    "run_dir",
                    Kind.PATH,
                    "",
                    "`run` in `data_dir`",
                    "folder",
                    "sockets, `agent.pid` and `api.token`; may be emptied while the node is stopped"),
            key("log_level", Kind.TEXT, "info", "", "debug, info, warn, error", "how much is logged"),
            key(
                    "cluster.node_id",
                    Kind.TEXT,
                    "",
                    "required; `node1` without a cluster",
                    "1 to 63 letters, digits, `.`, `_`, `-`",
                    "names this node for ever"),
            key(
                    "cluster.mode",
                    Kind.TEXT,
                    "none",
                    "",
                    "none, primary, replica, auto",
                    "how the node starts for the first time"),
            key("cluster.data_dir", Kind.PATH, "", "`cluster` in `data_dir`", "folder", "cluster metadata"),
            key(
                    "cluster.peers",
                    Kind.LIST,
                    "",
                    "none",
                    "up to 16 of host:port",
                    "replication addresses of the other nodes; this node's own may be among them"),
            key(
                    "cluster.priority",
                    Kind.NUMBER,
                    "100",
                    "",
                    "0 to 1000",
                    "who is preferred as primary among those equally far ahead: the highest; 0 is never"),
            key(
                    "cluster.join_timeout",
                    Kind.DURATION,
                    "5m",
                    "",
                    "1s to 1d",
                    "how long a node without a cluster waits in silence for one; a member waits for ever"),
            key(
                    "cluster.kind",
                    Kind.TEXT,
                    "data",
                    "",
                    "data, read_replica, witness",
                    "what a node that joins is for: a read replica never votes nor acknowledges, a witness votes and"
                            + " holds no data; the cluster remembers it"),
            key(
                    "cluster.region",
                    Kind.TEXT,
                    "",
                    "none",
                    "up to 63 characters, no slash",
                    "which nodes this one is near to; see `cluster.failover.across_regions`"),
            key(
                    "cluster.zone",
                    Kind.TEXT,
                    "",
                    "none",
                    "up to 63 characters, no slash",
                    "where in its region the node stands"),
            key(
                    "cluster.upstream",
                    Kind.TEXT,
                    "",
                    "the primary",
                    "node id of a member that holds data",
                    "for a read replica that joins: from whom it streams instead of the primary; afterwards `quantadb"
                            + " members set` changes it"),
            key(
                    REPLICATION + "primary_address",
                    Kind.ADDRESS,
                    "",
                    "required for replicas without peers",
                    "host:port",
                    "replication address of a member to join through"),
            key(
                    REPLICATION + "commit_mode",
                    Kind.TEXT,
                    "quorum",
                    "",
                    "quorum, all, async",
                    "how many members must have flushed a commit before it is acknowledged; the cluster keeps that of the node that formed it"),
            key(
                    REPLICATION + "stream_buffer_size",
                    Kind.SIZE,
                    "1MB",
                    "",
                    "64kB to 1GB",
                    "buffer of one WAL stream; 64MB of it at most are used"),
            key(
                    REPLICATION + "batch_size",
                    Kind.NUMBER,
                    "100",
                    "",
                    "1 to 100000",
                    "WAL messages that go out together to a member for which no commit waits (`async`, read replicas, who"
                            + " is not in the rule); where commits wait, each goes at once"),
            key(
                    REPLICATION + "flush_interval",
                    Kind.DURATION,
                    "100ms",
                    "",
                    "1ms to 10s",
                    "how long such a batch waits for more at most"),
            key(
                    REPLICATION + "heartbeat_interval",
                    Kind.DURATION,
                    "10s",
                    "",
                    "100ms to 5m",
                    "sign of life on an idle stream"),
            key(
                    REPLICATION + "heartbeat_timeout",
                    Kind.DURATION,
                    "30s",
                    "",
                    "longer than `heartbeat_interval`, to 30m",
                    "silence after which a stream counts as broken"),
            key(
                    REPLICATION + "max_lag_bytes",
                    Kind.SIZE,
                    "16MB",
                    "",
                    "16kB to 1024TB",
                    "how far behind a follower counts as lagging"),
            key(
                    REPLICATION + "max_lag_time",
                    Kind.DURATION,
                    "5m",
                    "",
                    "100ms to 7d",
                    "the same in time: how old the oldest WAL may be that it has not flushed"),
            key(
                    REPLICATION + "connect_timeout",
                    Kind.DURATION,
                    "30s",
                    "",
                    "50ms to 10m",
                    "deadline of one attempt to connect; 5s of it at most are used"),
            key(
                    REPLICATION + "reconnect_interval",
                    Kind.DURATION,
                    "5s",
                    "",
                    "10ms to 10m",
                    "longest pause between attempts; 1s of it at most is used"),
            key(
                    REPLICATION + "max_reconnect_tries",
                    Kind.NUMBER,
                    "10",
                    "",
                    "1 to 1000000",
                    "attempts in a row until the log and the state say that the upstream is not reached, and until which the"
                            + " pause between them grows; dialling goes on"),
            key(
                    REPLICATION + "snapshot_timeout",
                    Kind.DURATION,
                    "60s",
                    "",
                    "1s to 1h",
                    "how long a base backup that this node takes may make no progress until it is given up and begun anew"),
            key(
                    REPLICATION + "rejoin_rate",
                    Kind.SIZE,
                    "0",
                    "",
                    "0 for no limit, 32kB to 1GB",
                    "how much a second this node reads from the primary at most while it copies the primary's data, as a new"
                            + " member or to come back, by `pg_rewind` too"),
            key(
                    REPLICATION + "slow_standby_after",
                    Kind.DURATION,
                    "10s",
                    "",
                    "100ms to 1d",
                    "how old the oldest WAL that a standby has not flushed becomes until it is called slow and, with policy"
                            + " `shrink`, no commit waits for it, however many bytes that is; the cluster keeps that of the"
                            + " node that formed it, `quantadb settings` changes it"),
            key(
                    "cluster.raft.election_timeout",
                    Kind.DURATION,
                    "300ms",
                    "",
                    "50ms to 1m, 3 heartbeats at least",
                    "shortest silence of a leader that starts an election; the cluster keeps that of the node that formed it"),
            key(
                    "cluster.raft.election_timeout_max",
                    Kind.DURATION,
                    "",
                    "5/3 of `election_timeout` (500ms)",
                    "longer than `election_timeout`, to 5m",
                    "longest such silence; the cluster keeps that of the node that formed it"),
            key(
                    "cluster.raft.election_timeout_limit",
                    Kind.DURATION,
                    "",
                    "10 times `election_timeout` (3s), 1m at most",
                    "`election_timeout` to 1m",
                    "how far the cluster raises `election_timeout` by itself while nodes or links are slow;"
                            + " `election_timeout` itself for never; the cluster keeps that of the node that formed it,"
                            + " `quantadb settings` changes it"),
            key(
                    "cluster.raft.heartbeat_interval",
                    Kind.DURATION,
                    "50ms",
                    "",
                    "5ms to 20s",
                    "how often a leader speaks, and members to it; one that is silent for three of them, a second at least,"
                            + " is shown as gone; the cluster keeps that of the node that formed it"),
            key(
                    "cluster.raft.flush_interval",
                    Kind.DURATION,
                    "5ms",
                    "",
                    "0s to 50ms",
                    "group commit of the Raft log: entries that come within this of a flush are flushed together; the first"
                            + " one goes at once, and so does a vote"),
            key(
                    "cluster.raft.resync_threshold",
                    Kind.NUMBER,
                    "1000",
                    "",
                    "0 to 1000000",
                    "log entries kept beyond a snapshot: a member that is further behind gets the snapshot"),
            key(
                    "cluster.raft.max_log_entries",
                    Kind.NUMBER,
                    "100",
                    "",
                    "10 to 10000000",
                    "log entries before a snapshot"),
            key(
                    "cluster.failover.disk_timeout",
                    Kind.DURATION,
                    "5s",
                    "",
                    "1s to 10m",
                    "how long this node's disk may leave a flush unanswered until the node counts as unhealthy: it is"
                            + " not chosen as primary, and a primary moves away from it"),
            key(
                    "cluster.failover.postgres_timeout",
                    Kind.DURATION,
                    "10s",
                    "",
                    "1s to 10m",
                    "how long the PostgreSQL of a primary may leave a question of its agent unanswered until the node"
                            + " counts as unhealthy and the primary moves away from it; time in which the agent did not"
                            + " run does not count"),
            key(
                    "cluster.failover.move_delay",
                    Kind.DURATION,
                    "10s",
                    "",
                    "0s to 5m",
                    "how long the second move away from a primary that lives waits, for the same cause; each further one"
                            + " twice as long, up to 5m; a dead primary is replaced at once; the cluster keeps that of the"
                            + " node that formed it, `quantadb settings` changes it"),
            key(
                    "cluster.failover.across_regions",
                    Kind.TEXT,
                    "on",
                    "",
                    "on, off",
                    "whether a failover may choose a node of another region than the primary's; a switchover may always;"
                            + " the cluster keeps that of the node that formed it, `quantadb settings` changes it"),
            key(
                    "bootstrap.database",
                    Kind.TEXT,
                    "",
                    "none",
                    "1 to 63 bytes, with `bootstrap.owner`",
                    "database that a new cluster gets"),
            key("bootstrap.owner", Kind.TEXT, "", "none", "1 to 63 bytes, not `quantadb`", "role that owns it"),
            key(
                    "bootstrap.owner_password_file",
                    Kind.PATH,
                    "",
                    "no password set",
                    "file",
                    "first line is that role's password"),
            key("postgres.bin_dir", Kind.PATH, "", "looked for", "folder", "where `postgres` and `initdb` are"),
            key(
                    "postgres.os_user",
                    Kind.TEXT,
                    "",
                    "chosen by the agent",
                    "account name",
                    "who runs PostgreSQL when the agent is root"),
            key(
                    "postgres.superuser",
                    Kind.TEXT,
                    "postgres",
                    "",
                    "role name",
                    "superuser of a new cluster, not `quantadb`"),
            key(
                    "postgres.superuser_password_file",
                    Kind.PATH,
                    "",
                    "no password set",
                    "file",
                    "first line is that user's password"),
            key("postgres.parameters", Kind.MAP, "", "none", "object of text", "PostgreSQL settings of your own"),
            key("postgres.hba", Kind.LIST, "", "none", "list of lines", "lines added to pg_hba.conf"),
            key(
                    "postgres.rewind",
                    Kind.TEXT,
                    "auto",
                    "",
                    "auto, off",
                    "a node whose WAL left the primary's goes back by `pg_rewind` where PostgreSQL has it, or is always"
                            + " cloned anew"),
            key("tls.dir", Kind.PATH, "", "none", "folder", "what `quantadb init` made"),
            key("tls.ca_file", Kind.PATH, "", "`ca.crt` in `tls.dir`", "PEM file", "trusted CAs"),
            key("tls.cert_file", Kind.PATH, "", "`<node id>.crt` in `tls.dir`", "PEM file", "this node's certificate"),
            key("tls.key_file", Kind.PATH, "", "`<node id>.key` in `tls.dir`", "PEM file", "its private key"),
            key(
                    "client_tls.mode",
                    Kind.TEXT,
                    "allow",
                    "",
                    "off, allow, require",
                    "TLS towards SQL clients: never, as the client asks, or connections without it are refused"),
            key(
                    "client_tls.cert_file",
                    Kind.PATH,
                    "",
                    "the node's certificate",
                    "PEM file",
                    "shown to SQL clients; the server's certificate first, then its intermediates"),
            key("client_tls.key_file", Kind.PATH, "", "the node's key", "PEM file", "its private key"));

    private static final Map<String, Key> BY_PATH = byPath();

    private Keys() {}

    private static Key key(String path, Kind kind, String fallback, String absent, String bounds, String meaning) {
        return new Key(path, kind, fallback, absent, bounds, meaning);
    }

    private static Map<String, Key> byPath() {
        Map<String, Key> map = new LinkedHashMap<>();
        for (Key key : ALL) {
            map.put(key.path(), key);
        }
        return map;
    }

    static boolean isKnown(String path) {
        return BY_PATH.containsKey(path);
    }

    static Key get(String path) {
        Key key = BY_PATH.get(path);
        if (key == null) {
            throw new ConfigException("unknown setting '%s'%s".formatted(path, suggestion(path)));
        }
        return key;
    }

    /** Whether settings lie below this path ({@code cluster.raft}). */
    static boolean isGroup(String path) {
        String prefix = path + ".";
        return ALL.stream().anyMatch(k -> k.path().startsWith(prefix));
    }

    /** {@code ; did you mean …?} when a known setting is alike enough to be meant, else where the settings are listed. */
    static String suggestion(String path) {
        String near = nearest(path);
        int edits = Math.min(distance(path, near), distance(leaf(path), leaf(near)));
        return edits <= Math.max(2, leaf(path).length() / 3)
                ? "; did you mean '%s'?".formatted(near)
                : "; docs/reference/configuration.md lists all";
    }

    /** The known setting that is most alike: the last part weighs as much as the whole path. */
    static String nearest(String path) {
        String best = "";
        int bestCost = Integer.MAX_VALUE;
        for (Key key : ALL) {
            int cost = distance(path, key.path()) + distance(leaf(path), leaf(key.path()));
            if (cost < bestCost) {
                bestCost = cost;
                best = key.path();
            }
        }
        return best;
    }

    private static String leaf(String path) {
        return path.substring(path.lastIndexOf('.') + 1);
    }

    /** Edits between two words (Levenshtein). */
    static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int above = row[j];
                int swap = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(swap, Math.min(above, row[j - 1]) + 1);
                diagonal = above;
            }
        }
        return row[b.length()];
    }
}
