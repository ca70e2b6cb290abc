package io.quantadb.node.sim.invariants;

import java.util.List;

/** FEED of ADR 0030: what a standby gives a member under an epoch is what the primary of that epoch has. */
public final class FedWalIsThePrimarys {
    public void onFed(String standby, long epoch, List<?> records, int from, List<?> primary) {
        int end = from + records.size();
        if (end > primary.size() || !primary.subList(from, end).equals(records)) {
            throw new AssertionError("FEED: %s gives WAL from %d to %d under epoch %d that the primary has not got"
                    .formatted(standby, from, end, epoch));
        }
    }
}
