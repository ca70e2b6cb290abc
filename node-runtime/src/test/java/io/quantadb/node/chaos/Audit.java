package io.quantadb.node.chaos;

import io.quantadb.node.bench.OpenLoopWriter;
import io.quantadb.node.pgwire.PgConnection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** What the nodes hold of the history, read behind their agents' backs. */
final class Audit {
    private static final Duration READ = Duration.ofMinutes(2);
    private static final int ROWS_AT_ONCE = 50_000;

    private final ChaosCluster cluster;

    Audit(ChaosCluster cluster) {
        this.cluster = cluster;
    }

    /**
     * The ids of a range on the primary, in the order in which they were written.
     *
     * @throws IllegalStateException when it is primary no more: what it has is not what counts then
     */
    List<Long> ids(int node, long first, long end) {
        List<Long> out = new ArrayList<>();
        try (PgConnection session = cluster.behind(node)) {
            if (session.query("SELECT pg_is_in_recovery()", READ).single().equals("t")) {
                throw new IllegalStateException("%s is primary no more".formatted(LinkPlan.id(node)));
            }
            long serial = -1;
            while (true) {
                var rows = session.query(
                                "SELECT serial, id FROM %s WHERE id >= %d AND id < %d AND serial > %d ORDER BY serial LIMIT %d"
                                        .formatted(OpenLoopWriter.TABLE, first, end, serial, ROWS_AT_ONCE),
                                READ)
                        .rows();
                for (var row : rows) {
                    serial = Long.parseLong(row.get(0));
                    out.add(Long.valueOf(row.get(1)));
                }
                if (rows.size() < ROWS_AT_ONCE) {
                    return out;
                }
            }
        }
    }

    /** Count and checksum of all rows with an id below {@code end}. */
    String checksum(int node, long end) {
        try (PgConnection session = cluster.behind(node)) {
            var row = session.query(
                            "SELECT count(*) || ' ' || coalesce(sum(hashtextextended(serial || ':' || id, 0)), 0) FROM %s WHERE id < %d"
                                    .formatted(OpenLoopWriter.TABLE, end),
                            READ)
                    .rows()
                    .getFirst();
            return row.getFirst();
        }
    }

    /** The checksum that all nodes agree on; waits for standbys to replay. Fails with what each has. */
    String agreed(int primary, long end, Duration patience) throws InterruptedException, Disagree {
        String own = checksum(primary, end);
        long giveUp = System.nanoTime() + patience.toNanos();
        while (true) {
            List<String> all = new ArrayList<>();
            for (int i = 0; i < cluster.size(); i++) {
                all.add(checksum(i, end));
            }
            if (all.stream().allMatch(own::equals)) {
                return own;
            }
            if (System.nanoTime() > giveUp) {
                throw new Disagree("the nodes do not agree on the history: " + all);
            }
            TimeUnit.MILLISECONDS.sleep(200);
        }
    }

    /** Nodes hold different rows although nobody writes. */
    static final class Disagree extends Exception {
        Disagree(String words) {
            super(words);
        }
    }
}
