package io.quantadb.node.cluster;

import io.quantadb.node.common.MemberRef;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Who may acknowledge a commit: {@code k} of the members of {@code set} must have flushed it, besides the primary.
 * The primary is never in the set, and the set is never smaller than k.
 */
public record Rule(SortedSet<MemberRef> set, int k) {
    public static final Rule ALONE = new Rule(new TreeSet<>(), 0);

    public Rule {
        set = java.util.Collections.unmodifiableSortedSet(new TreeSet<>(set));
        if (k < 0 || set.size() < k) {
            throw new IllegalArgumentException("a rule wants %d of %d members".formatted(k, set.size()));
        }
    }

    /** How many of the set must be frozen so that no k of them can acknowledge anything more: |S| - k + 1. */
    public int freezeQuorum() {
        return set.size() - k + 1;
    }
}
