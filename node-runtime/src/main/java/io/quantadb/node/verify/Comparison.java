package io.quantadb.node.verify;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Compares the nodes of a cluster, one database after another. One thread; waits.
 *
 * <p>Of tables, materialised views and large objects the rows are compared. Not compared are: indexes, sequences (a
 * standby's run ahead by design), unlogged and temporary tables, tables of other access methods, system catalogs.
 */
public final class Comparison {
    /** Opens a session with a node's own server. */
    @FunctionalInterface
    public interface Opener {
        /** Fails with a {@link ReadFailure}. */
        SqlReader open(NodeId node, String database);
    }

    /** Hears how far it is, after every range. */
    @FunctionalInterface
    public interface Progress {
        void at(String database, TableRef table, long bytesDone);
    }

    /** Hears nothing. */
    public static final Progress SILENT = (database, table, bytes) -> {};

    private final NodeId primary;
    private final List<NodeId> standbys;
    private final Opener opener;
    private final Limits limits;
    private final Pauses time;
    private final Progress progress;

    public Comparison(
            NodeId primary, List<NodeId> standbys, Opener opener, Limits limits, Pauses time, Progress progress) {
        this.primary = primary;
        this.standbys = List.copyOf(standbys);
        this.opener = opener;
        this.limits = limits;
        this.time = time;
        this.progress = progress;
    }

    /**
     * Compares the wanted tables of these databases.
     *
     * @param databases by name
     * @param absent standbys that are known to be out of reach, and why
     * @throws ReadFailure when the primary cannot be read
     */
    public Report run(List<String> databases, Predicate<TableRef> wanted, Map<NodeId, String> absent) {
        long began = time.nanos();
        Map<NodeId, String> lost = new LinkedHashMap<>(absent);
        List<TableResult> results = new ArrayList<>();
        Pace pace = new Pace(limits.bytesPerSecond(), time);
        Lsn from = Lsn.NONE;
        Lsn to = Lsn.NONE;
        for (String database : databases) {
            try (SqlReader own = opener.open(primary, database);
                    Sessions others = Sessions.open(opener, standbys, database, lost)) {
                from = from.isNone() ? own.flushed() : from;
                for (TableRef table : own.tables().stream().filter(wanted).toList()) {
                    if (!table.whyNot().isEmpty()) {
                        results.add(TableResult.notCompared(database, table, table.whyNot()));
                        continue;
                    }
                    List<NodeReader> present = others.present(lost);
                    results.add(new TableComparison(table, own, present, limits, time, pace)
                            .compare(database, bytes -> progress.at(database, table, bytes), lost));
                }
                to = own.flushed();
            }
        }
        List<NodeId> nodes = new ArrayList<>(standbys);
        nodes.removeAll(lost.keySet());
        nodes.addFirst(primary);
        return new Report(nodes, lost, results, from, to, Duration.ofNanos(time.nanos() - began));
    }

    /** The standbys' sessions with one database. */
    private record Sessions(List<SqlReader> all) implements AutoCloseable {
        static Sessions open(Opener opener, List<NodeId> standbys, String database, Map<NodeId, String> lost) {
            List<SqlReader> out = new ArrayList<>();
            for (NodeId standby : standbys) {
                if (!lost.containsKey(standby)) {
                    try {
                        out.add(opener.open(standby, database));
                    } catch (ReadFailure e) {
                        lost.put(standby, "database %s: %s".formatted(database, e.words()));
                    }
                }
            }
            return new Sessions(out);
        }

        List<NodeReader> present(Map<NodeId, String> lost) {
            return all.stream()
                    .filter(reader -> !lost.containsKey(reader.node()))
                    .map(NodeReader.class::cast)
                    .toList();
        }

        @Override
        public void close() {
            all.forEach(SqlReader::close);
        }
    }
}
