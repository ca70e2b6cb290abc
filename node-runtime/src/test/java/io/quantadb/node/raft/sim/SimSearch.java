package io.quantadb.node.raft.sim;

import io.quantadb.node.raft.RaftRules;

/** By hand: {@code SimSearch [mutant index or -1] [first seed] [count] [chaos ms] [storm|upheaval]} prints every red seed. */
final class SimSearch {
    private SimSearch() {}

    public static void main(String[] args) {
        int mutant = Integer.parseInt(args[0]);
        long first = Long.parseLong(args[1]);
        long count = Long.parseLong(args[2]);
        long chaosMs = Long.parseLong(args[3]);
        RaftRules rules = mutant < 0
                ? new RaftRules()
                : (RaftRules)
                        RaftMutationTest.brokenRules().toList().get(mutant).get()[1];
        long red = 0;
        long committed = 0;
        for (long seed = first; seed < first + count; seed++) {
            SimRun run = args.length > 4
                    ? new SimRun(
                            seed, rules, chaosMs, args[4].equals("storm") ? SimProfile::storm : SimProfile::upheaval)
                    : new SimRun(seed, rules, chaosMs);
            try {
                committed += (mutant < 0 ? run.run() : run.chaos()).world.invariants.highestCommitted();
            } catch (AssertionError | RuntimeException e) {
                red++;
                System.out.println(seed + " " + e);
                if (count == 1) {
                    System.out.println(run.world.profile + "\n" + run.world.traceText());
                }
            }
        }
        System.out.printf("%d of %d red, %d entries committed in the others%n", red, count, committed);
    }
}
