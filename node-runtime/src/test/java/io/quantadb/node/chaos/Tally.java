package io.quantadb.node.chaos;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Counts strikes by kind. Any thread. */
final class Tally {
    private final Map<String, Integer> done = new TreeMap<>();
    private final Map<String, Integer> skipped = new TreeMap<>();
    private final List<String> under = new ArrayList<>();

    synchronized void began(Step step) {
        done.merge(step.strike(), 1, Integer::sum);
        under.add(step.strike());
    }

    synchronized void ended(Step step) {
        under.remove(step.strike());
    }

    synchronized void skipped(Step step) {
        skipped.merge(step.strike(), 1, Integer::sum);
    }

    synchronized Map<String, Integer> done() {
        return new TreeMap<>(done);
    }

    synchronized Map<String, Integer> skipped() {
        return new TreeMap<>(skipped);
    }

    synchronized int total() {
        return done.values().stream().mapToInt(Integer::intValue).sum();
    }

    /** What is under way now. */
    synchronized List<String> underWay() {
        return List.copyOf(under);
    }
}
