package io.quantadb.node.chaos;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** The strikes of one round, in the order in which they begin. The same seed, round and kinds give the same schedule. */
record Schedule(long seed, int round, long lengthMs, List<Step> steps) {
    private static final int FIRST_MS = 1_000;
    private static final int GAP_MIN_MS = 200;

    Schedule {
        steps = List.copyOf(steps);
    }

    /**
     * Draws a round.
     *
     * @param round from 0
     * @param gapMs how long from one strike to the next on average
     * @param kinds what may be drawn, in an order that belongs to the seed
     */
    static Schedule draw(long seed, int round, long lengthMs, int gapMs, List<Strike> kinds) {
        if (kinds.isEmpty()) {
            throw new IllegalArgumentException("there is nothing to draw from");
        }
        // Rounds are drawn each on its own, so that a run that goes on later draws the same.
        Random random = new Random(seed * 1_000_003L + round);
        List<Step> steps = new ArrayList<>();
        int weights = kinds.stream().mapToInt(Strike::weight).sum();
        long at = FIRST_MS;
        while (at < lengthMs) {
            Step step = pick(kinds, random.nextInt(weights)).draw(at, random);
            steps.add(step.lasting(Math.min(step.forMs(), lengthMs - at)));
            at += GAP_MIN_MS + random.nextInt(Math.max(1, 2 * (gapMs - GAP_MIN_MS)));
        }
        return new Schedule(seed, round, lengthMs, steps);
    }

    private static Strike pick(List<Strike> kinds, int at) {
        int left = at;
        for (Strike kind : kinds) {
            left -= kind.weight();
            if (left < 0) {
                return kind;
            }
        }
        throw new IllegalStateException("weights do not add up");
    }
}
