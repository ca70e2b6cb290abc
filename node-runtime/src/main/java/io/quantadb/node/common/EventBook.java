package io.quantadb.node.common;

import java.time.Instant;
import java.util.ArrayDeque;
import java.util.List;

/**
 * The last events of this process: every line of its log that belongs to one of the four stories ({@link LogKeys}), with
 * the words that the log has. Kept in memory alone, {@value #KEPT_MAX} of them, and gone with the process; the log is what
 * lasts. Any thread.
 */
public final class EventBook {
    public static final int KEPT_MAX = 500;
    /** Longer words are cut, so that the book has a bound in bytes too. */
    public static final int WORDS_MAX = 600;

    private static final EventBook OF_PROCESS = new EventBook();

    private final ArrayDeque<Event> kept = new ArrayDeque<>();
    private long number;

    /**
     * @param number counts up from 1 in each process
     * @param level of the log: INFO, WARN or ERROR
     * @param story what the log puts in brackets: raft, replication, failover or cluster
     */
    public record Event(long number, Instant at, String level, String story, String words) {}

    /** The one that the log of this process is written into. */
    public static EventBook ofProcess() {
        return OF_PROCESS;
    }

    public synchronized void add(Instant at, String level, String story, String words) {
        String cut = words.length() <= WORDS_MAX ? words : words.substring(0, WORDS_MAX) + "…";
        kept.addLast(new Event(++number, at, level, story, cut));
        if (kept.size() > KEPT_MAX) {
            kept.removeFirst();
        }
    }

    /** The newest that are kept, {@code atMost} of them and of a number above {@code after}, the oldest first. */
    public synchronized List<Event> last(int atMost, long after) {
        List<Event> wanted = kept.stream().filter(e -> e.number() > after).toList();
        return wanted.subList(Math.max(0, wanted.size() - atMost), wanted.size());
    }
}
