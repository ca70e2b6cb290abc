package io.quantadb.node.chaos;

import io.quantadb.node.chaos.Step.Aim;
import io.quantadb.node.chaos.Step.Role;
import io.quantadb.node.pgwire.PgConnection;
import java.time.Duration;
import java.util.Random;

/** An administrator cancels, or ends, whatever waits for its commit to be acknowledged. */
final class CancelCommits implements Strike {
    private static final Duration SOON = Duration.ofSeconds(3);

    @Override
    public String label() {
        return "cancel-commits";
    }

    @Override
    public int weight() {
        return 8;
    }

    @Override
    public boolean primaryMustStay() {
        return true;
    }

    @Override
    public Step draw(long atMs, Random random) {
        return new Step(atMs, 0, label(), new Aim(Role.PRIMARY, random.nextInt(1 << 10), 0), random.nextInt(2));
    }

    @Override
    public Undo strike(Step step, ChaosCluster cluster) throws Skipped {
        int primary = cluster.primaryIndex();
        if (primary < 0) {
            throw new Skipped("there is no primary");
        }
        String how = step.amount() == 0 ? "pg_cancel_backend" : "pg_terminate_backend";
        try (PgConnection session = cluster.behind(primary)) {
            // Several looks: a commit waits for a few milliseconds only.
            long struck = 0;
            for (int i = 0; i < 20; i++) {
                struck += Long.parseLong(session.query(
                                "SELECT count(" + how + "(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'",
                                SOON)
                        .single());
            }
            if (struck == 0) {
                throw new Skipped("no commit waited");
            }
        }
        return Undo.NOTHING;
    }
}
