package io.quantadb.node.sim;

import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;

/**
 * Two servers, the first a primary and the second its standby, that carry out one schedule: the model of the simulation
 * or PostgreSQL itself. Servers are named by 0 and 1, commits by labels.
 */
interface ServerPair extends AutoCloseable {
    /** What one schedule does, step by step. */
    sealed interface Step {
        /** A client commits on the primary and waits for the voice. */
        record Commit(String label) implements Step {}

        /** A client commits and does not wait; in the model, a commit whose wait is cancelled at once. */
        record CommitUnwaited(String label) implements Step {}

        /** The newest commit that waits is cancelled. */
        record CancelWait() implements Step {}

        record VoiceOpens() implements Step {}

        /** The voice reports the end of that commit as flushed. */
        record VoiceReports(String label) implements Step {}

        record VoiceCloses() implements Step {}

        /** Immediate leaves no shutdown record; the voice is closed before either. */
        record Stop(int server, boolean immediate) implements Step {}

        /** The server and all its processes at once. */
        record Kill(int server) implements Step {}

        record StartPrimary(int server) implements Step {}

        record StartStandby(int server) implements Step {}

        /** The standby streams from the other server, now and after each start. */
        record Follow(int server) implements Step {}

        record StopFollowing(int server) implements Step {}

        /** To this timeline, the numbers between kept from being taken. */
        record Promote(int server, int timeline) implements Step {}
    }

    enum Mode {
        DOWN,
        STANDBY,
        PRIMARY
    }

    /** What became of a commit, as its client knows. */
    enum Fate {
        WAITING,
        ACKNOWLEDGED,
        /** Committed, and told that nobody else may have it. */
        UNREPLICATED,
        /** The connection ended before any answer. */
        IN_DOUBT
    }

    /**
     * One server as it can be seen from outside.
     *
     * @param rows the commits that a query on it shows; nothing while it is down
     * @param lineage a primary's timelines from the first to its own; empty otherwise
     * @param streams a standby that follows a primary, and is on its timeline with all that the primary has flushed
     * @param diverged a server that is down, while the other is primary, and holds WAL that the other never had
     */
    record View(Mode mode, SortedSet<String> rows, List<Integer> lineage, boolean streams, boolean diverged) {}

    /** Everything that is compared after a step. */
    record Seen(Map<String, Fate> fates, List<View> servers) {
        public Seen {
            fates = new TreeMap<>(fates);
        }
    }

    /** Returns when the step has had its effect, as far as that can be waited for. */
    void carryOut(Step step);

    Seen seen();

    @Override
    void close();
}
