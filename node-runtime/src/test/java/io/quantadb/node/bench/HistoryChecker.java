package io.quantadb.node.bench;

import io.quantadb.node.bench.History.Attempt;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Compares a history with the rows found afterwards, in the order of the table's serial column. */
public final class HistoryChecker {
    /**
     * What was found.
     *
     * @param lost acknowledged and not there
     * @param phantom there, although it certainly failed, or nobody ever tried it
     * @param duplicated ids there more than once
     * @param reordered acknowledged one after the other by one process, and there the other way round
     * @param unknown without a known outcome; being there or not is right either way
     */
    public record Verdict(Set<Long> lost, Set<Long> phantom, Set<Long> duplicated, Set<Long> reordered, long unknown) {
        public boolean clean() {
            return lost.isEmpty() && phantom.isEmpty() && duplicated.isEmpty() && reordered.isEmpty();
        }
    }

    private HistoryChecker() {}

    /** @param found every row's id, in the order in which the server says that they were written */
    public static Verdict check(History history, List<Long> found) {
        Map<Long, Integer> firstAt = new HashMap<>();
        Set<Long> duplicated = new TreeSet<>();
        for (int i = 0; i < found.size(); i++) {
            if (firstAt.putIfAbsent(found.get(i), i) != null) {
                duplicated.add(found.get(i));
            }
        }
        Set<Long> lost = new TreeSet<>();
        Set<Long> reordered = new TreeSet<>();
        Set<Long> possible = new HashSet<>();
        Map<Integer, Integer> lastOfProcess = new HashMap<>();
        long unknown = 0;
        for (Attempt attempt : history.attempts()) {
            Integer at = firstAt.get(attempt.id());
            switch (attempt.outcome()) {
                case ACKNOWLEDGED -> {
                    possible.add(attempt.id());
                    if (at == null) {
                        lost.add(attempt.id());
                    } else {
                        Integer before = lastOfProcess.put(attempt.process(), at);
                        if (before != null && before > at) {
                            reordered.add(attempt.id());
                        }
                    }
                }
                case UNKNOWN, PENDING -> {
                    possible.add(attempt.id());
                    unknown++;
                }
                case FAILED -> {
                    // Being there would make it a phantom.
                }
            }
        }
        Set<Long> phantom = new TreeSet<>(firstAt.keySet());
        phantom.removeAll(possible);
        return new Verdict(lost, phantom, duplicated, reordered, unknown);
    }
}
