package io.quantadb.node.chaos;

import io.quantadb.node.chaos.Step.Aim;
import io.quantadb.node.chaos.Step.Role;
import java.util.List;
import java.util.Random;

/** Another commit mode for a while, asked of any node. */
final class ChangeMode implements Strike {
    private record Mode(String mode, String policy) {}

    private static final List<Mode> MODES = List.of(
            new Mode("all", "block"),
            new Mode("all", "shrink"),
            new Mode("quorum", "shrink"),
            new Mode("quorum", "block"),
            new Mode("async", "block"));
    private static final int SHRINK_AFTER_MS = 700;

    @Override
    public String label() {
        return "change-mode";
    }

    @Override
    public int weight() {
        return 6;
    }

    @Override
    public boolean primaryMustStay() {
        return true;
    }

    @Override
    public Step draw(long atMs, Random random) {
        Aim aim = new Aim(Role.ANY, random.nextInt(1 << 10), 0);
        return new Step(atMs, 500 + random.nextInt(8_000), label(), aim, random.nextInt(MODES.size()));
    }

    @Override
    public Undo strike(Step step, ChaosCluster cluster) throws Exception {
        Mode mode = MODES.get(step.amount());
        return cluster.modes().change(step.aim().pick(), mode.mode(), mode.policy(), SHRINK_AFTER_MS);
    }
}
