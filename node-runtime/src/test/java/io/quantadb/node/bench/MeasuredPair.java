package io.quantadb.node.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;

/**
 * A primary and a standby under measurement, ours or bare, and what their rounds gave. Rounds of several pairs are taken
 * in turn, so that a machine that slows down or speeds up meanwhile does so for all of them.
 */
final class MeasuredPair {
    /** Connects anew for each round: roles may have moved, streams may have been set up anew. */
    @FunctionalInterface
    interface Opening {
        Session open() throws Exception;
    }

    /**
     * One round's connections.
     *
     * @param standbyData the data directory of the standby that catches up
     * @param sender LIKE pattern for the application_name of that standby's stream
     * @param agents processes that the WAL passes between the two servers
     */
    record Session(Connection primary, Connection standby, Path standbyData, String sender, ProcessCpu agents)
            implements AutoCloseable {
        @Override
        public void close() throws SQLException {
            try (primary) {
                standby.close();
            }
        }
    }

    /** What one round does. */
    record Work(int commits, int walMb) {}

    /** What one round gave; processor times are in milliseconds for each megabyte of WAL. */
    record Round(
            double[] commitMs,
            double walRate,
            double sender,
            double agents,
            double receiver,
            double replay,
            double busyPercent) {}

    private final String who;
    private final String replication;
    private final Opening opening;
    private final List<Round> rounds = new ArrayList<>();
    private String server = "";

    MeasuredPair(String who, String replication, Opening opening) {
        this.who = who;
        this.replication = replication;
        this.opening = opening;
    }

    /** Makes the server write as much as a round does, so that the first one finds what the others find. */
    void warmUp(Work work) throws Exception {
        var _ = measure(work);
    }

    void round(Work work) throws Exception {
        add(measure(work));
    }

    void add(Round round) {
        rounds.add(round);
    }

    private Round measure(Work work) throws Exception {
        try (Session session = opening.open()) {
            server = session.primary.getMetaData().getDatabaseProductVersion();
            SqlMeasures.settle(session.primary, session.standby);
            double[] latency = SqlMeasures.commitLatencyMs(session.primary, work.commits);
            WalReceiver receiver = WalReceiver.of(session.standbyData);
            List<ProcessCpu> watched = List.of(
                    ProcessCpu.of(SqlMeasures.walSender(session.primary, session.sender)),
                    session.agents,
                    ProcessCpu.of(receiver.pid()),
                    ProcessCpu.of(WalReceiver.replayer(session.standbyData)));
            var caughtUp = SqlMeasures.catchUp(session.primary, session.standby, receiver, watched, work.walMb);
            return new Round(
                    latency,
                    caughtUp.megabytes() / caughtUp.seconds(),
                    caughtUp.cpuMillisPerMegabyte(0),
                    caughtUp.cpuMillisPerMegabyte(1),
                    caughtUp.cpuMillisPerMegabyte(2),
                    caughtUp.cpuMillisPerMegabyte(3),
                    caughtUp.busyPercent());
        }
    }

    /** The median of all commits. */
    double commitMs() {
        return Statistics.percentile(commits(), 0.5);
    }

    /** The median of all rounds, in MB (2^20 bytes) a second. */
    double walRate() {
        return median(Round::walRate);
    }

    /**
     * The median of this pair's rounds in relation to the other's, each by the round of the other that ran beside it in
     * time.
     */
    double walRatioTo(MeasuredPair other) {
        double[] ratios = new double[rounds.size()];
        Arrays.setAll(ratios, i -> rounds.get(i).walRate / other.rounds.get(i).walRate);
        return Statistics.percentile(ratios, 0.5);
    }

    private double[] commits() {
        return rounds.stream().flatMapToDouble(r -> DoubleStream.of(r.commitMs)).toArray();
    }

    private double median(ToDoubleFunction<Round> what) {
        return Statistics.percentile(rounds.stream().mapToDouble(what).toArray(), 0.5);
    }

    /** One line of the bench. */
    ObjectNode line(ObjectMapper mapper) {
        ObjectNode line = mapper.createObjectNode()
                .put("measure", "commits and WAL")
                .put("who", who)
                .put("replication", replication)
                .put("rule", "ANY 1 of 2 standbys")
                .put("server", server)
                .put("commit_p50_ms", Statistics.hundredth(commitMs()))
                .put("commit_p99_ms", Statistics.hundredth(Statistics.percentile(commits(), 0.99)))
                .put("wal_mb_per_second", Statistics.hundredth(walRate()));
        ArrayNode each = line.putArray("wal_rounds");
        rounds.forEach(round -> each.add(Statistics.hundredth(round.walRate)));
        line.putObject("cpu_ms_per_mb")
                .put("walsender", Statistics.hundredth(median(Round::sender)))
                .put("agents", Statistics.hundredth(median(Round::agents)))
                .put("walreceiver", Statistics.hundredth(median(Round::receiver)))
                .put("replay", Statistics.hundredth(median(Round::replay)));
        return line.put("busy_percent", Statistics.hundredth(median(Round::busyPercent)));
    }
}
