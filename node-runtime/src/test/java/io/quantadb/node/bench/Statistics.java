package io.quantadb.node.bench;

import java.util.Arrays;

/** The few numbers that a bench line has. */
final class Statistics {
    private Statistics() {}

    /** The smallest value that at least this share of all values does not exceed (nearest rank); NaN without values. */
    static double percentile(double[] values, double share) {
        if (values.length == 0) {
            return Double.NaN;
        }
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int rank = (int) Math.ceil(share * sorted.length);
        return sorted[Math.max(0, rank - 1)];
    }

    static double hundredth(double value) {
        return Math.round(value * 100) / 100.0;
    }

    static double max(double[] values) {
        return Arrays.stream(values).max().orElse(Double.NaN);
    }

    /**
     * The longest hole between two acknowledgements that ends after the fault, in milliseconds. The last one "before"
     * may well arrive after the instant of the fault, so the hole is looked for, not computed from that instant.
     *
     * @param acknowledgedAt ascending, in nanoseconds
     * @return the hole; NaN when nothing was acknowledged before the fault, or nothing after it
     */
    static double longestHoleMs(long[] acknowledgedAt, long faultNanos) {
        long longest = -1;
        for (int i = 1; i < acknowledgedAt.length; i++) {
            if (acknowledgedAt[i] > faultNanos) {
                longest = Math.max(longest, acknowledgedAt[i] - acknowledgedAt[i - 1]);
            }
        }
        return longest < 0 ? Double.NaN : longest / 1e6;
    }
}
