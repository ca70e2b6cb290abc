package io.quantadb.node.chaos;

/**
 * One strike of a schedule. Whom it hits is said by role, since a seed cannot know who is primary then; so one seed gives
 * one schedule, whatever happens.
 *
 * @param atMs when, from the beginning of the round
 * @param forMs how long until it is undone; 0 for what is over at once
 * @param strike the name of its kind
 * @param aim whom
 * @param amount how much, in the kind's own unit; 0 where there is no such thing
 */
record Step(long atMs, long forMs, String strike, Aim aim, int amount) {
    /** By role, or by number. */
    enum Role {
        PRIMARY,
        STANDBY,
        ANY
    }

    /**
     * A node, and for strikes at a link the other end.
     *
     * @param pick chooses where several fit, and stands for the node itself where the role has nobody
     * @param otherPick chooses the other end among the others
     */
    record Aim(Role role, int pick, int otherPick) {
        /** @param primary the node that is primary now; -1 when there is none */
        int node(int primary, int nodes) {
            return switch (role) {
                case PRIMARY -> primary < 0 ? pick % nodes : primary;
                case STANDBY -> primary < 0 ? pick % nodes : (primary + 1 + pick % (nodes - 1)) % nodes;
                case ANY -> pick % nodes;
            };
        }

        /** The other end of a link that begins at {@code node}. */
        int other(int node, int nodes) {
            return (node + 1 + otherPick % (nodes - 1)) % nodes;
        }
    }

    Step lasting(long ms) {
        return new Step(atMs, ms, strike, aim, amount);
    }

    @Override
    public String toString() {
        return "%6d ms %s %s%s%s"
                .formatted(
                        atMs,
                        strike,
                        aim.role().name().toLowerCase(java.util.Locale.ROOT),
                        amount == 0 ? "" : " " + amount,
                        forMs == 0 ? "" : " for %d ms".formatted(forMs));
    }
}
