package io.quantadb.node.sim;

import io.quantadb.node.cluster.Command;
import io.quantadb.node.cluster.ProtocolRules;
import io.quantadb.node.cluster.SwitchoverReport;
import java.util.EnumMap;
import java.util.Map;

/** Many seeds by hand: system properties {@code sim.seed}, {@code sim.runs}, {@code sim.chaosMs}, {@code sim.log},
 * {@code sim.kind} ({@code storm}, {@code restless}, {@code lagging}, {@code stalling},
 * {@code moving}, {@code operated}, {@code tended}). */
final class SimMain {
    private SimMain() {}

    public static void main(String[] args) {
        long first = Long.getLong("sim.seed", 0);
        long runs = Long.getLong("sim.runs", 200);
        long chaosMs = Long.getLong("sim.chaosMs", 6_000);
        long failed = 0;
        long acknowledged = 0;
        long promotions = 0;
        long lost = 0;
        Map<Command.PromoteKind, Integer> rights = new EnumMap<>(Command.PromoteKind.class);
        Map<SwitchoverReport.Phase, Integer> moves = new EnumMap<>(SwitchoverReport.Phase.class);
        for (long seed = first; seed < first + runs; seed++) {
            SimRun run = switch (System.getProperty("sim.kind", "of")) {
                case "storm" -> SimRun.storm(seed, new ProtocolRules(), new SimBugs());
                case "moving" -> SimRun.moving(seed, new ProtocolRules(), new SimBugs());
                case "tended" -> SimRun.tended(seed, new ProtocolRules(), new SimBugs());
                case "lagging" -> SimRun.lagging(seed, new ProtocolRules(), new SimBugs());
                case "stalling" -> SimRun.stalling(seed, new ProtocolRules(), new SimBugs());
                case "operated" -> SimRun.operated(seed, new ProtocolRules(), new SimBugs());
                case "loose" -> SimRun.loose(seed, new ProtocolRules(), new SimBugs());
                case "forced" -> SimRun.forced(seed, new ProtocolRules(), new SimBugs());
                case "regional" -> SimRun.regional(seed, new ProtocolRules(), new SimBugs());
                case "flapping" -> SimRun.flapping(seed, new ProtocolRules(), new SimBugs());
                case "restless" -> SimRun.restless(seed, new ProtocolRules(), new SimBugs());
                default -> SimRun.of(seed, new ProtocolRules(), new SimBugs());
            };
            try {
                run.all(chaosMs);
            } catch (AssertionError | RuntimeException e) {
                failed++;
                run.world.log.forEach(System.out::println);
                System.out.println("seed " + seed + " at " + run.world.now / 1_000_000 + " ms: " + e);
                if (runs == 1) {
                    e.printStackTrace(System.out);
                }
            }
            acknowledged += run.world.oracle.acknowledged;
            promotions += run.world.oracle.epochs;
            lost += run.world.oracle.lost();
            for (Command.PromoteKind kind : Command.PromoteKind.values()) {
                rights.merge(kind, run.world.oracle.promotions.promoted(kind), Integer::sum);
            }
            for (SwitchoverReport.Phase phase : SwitchoverReport.Phase.values()) {
                moves.merge(phase, run.moves.ended(phase), Integer::sum);
            }
        }
        System.out.printf(
                "%d seeds, %d failed, %d acknowledged, %d promotions %s, %d lost, switchovers %s%n",
                runs, failed, acknowledged, promotions, rights, lost, moves);
        if (failed > 0) {
            System.exit(1);
        }
    }
}
