package io.quantadb.node.cluster;

import io.quantadb.node.common.NodeId;

/**
 * What a primary does that is asked to give way, step by step as its leader says:
 *
 * <pre>
 *   NONE --PREPARE--> PREPARING (a checkpoint) --HOLD--> HOLDING (no new transactions) --STOP--> STOPPING (fenced)
 *     ^                                                     |  RESUME; its time is over; another term; another epoch
 *     +-----------------------------------------------------+
 * </pre>
 *
 * <p>A hold ends by itself, so that a leader which is gone cannot hold clients back; it ends for good, so that a STOP
 * which comes later finds nothing to stop. STOPPING ends with the server, whose end everybody then sees.
 */
final class SwitchoverDuties {
    /** What a hold may last beyond the drain, for messages to and fro; the leader gives up earlier. */
    private static final long HOLD_SLACK_NANOS = 1_500 * Context.MILLIS;

    private enum Stage {
        NONE,
        PREPARING,
        HOLDING,
        STOPPING,
        /** Its server has ended; the leader may not know that yet, and say STOP again. */
        STOPPED
    }

    private final Context ctx;
    private final PrimaryDuties primary;
    private Stage stage = Stage.NONE;
    private long term;
    private long epoch;
    private long round;
    private boolean checkpointDone;
    private boolean drained;
    private long heldAt;
    private long drainUntil;
    private long holdUntil;
    /** When the leader was last told that it is held and drained; 0 when that is to be done. */
    private long told;

    SwitchoverDuties(Context ctx, PrimaryDuties primary) {
        this.ctx = ctx;
        this.primary = primary;
    }

    void reconcile() {
        boolean same = ctx.term == term && ctx.state.epoch() == epoch && ctx.primaryIsMe() && ctx.promise <= epoch;
        if (stage == Stage.HOLDING) {
            if (!ctx.rules.mayHold(ctx.now, holdUntil, same)) {
                resume("the hold is over");
            } else if (drained || ctx.now >= drainUntil) {
                answerHeld();
            }
        } else if (stage != Stage.NONE && !same) {
            stage = Stage.NONE;
        }
    }

    void onStep(NodeId from, CoordMessage.SwitchoverStep m) {
        boolean mine = ctx.primaryIsMe() && m.epoch() == ctx.state.epoch() && ctx.promise <= m.epoch();
        if (!mine || m.term() != ctx.term || !from.equals(ctx.leaderId)) {
            return;
        }
        if (stage == Stage.HOLDING && !ctx.rules.mayHold(ctx.now, holdUntil, true)) {
            // This node did not run for a while: what its leader said then comes before it has looked at the time.
            resume("the hold is over");
        }
        boolean newer = m.term() != term || m.epoch() != epoch || m.round() > round;
        if (newer && m.step() != CoordMessage.Step.HOLD && m.step() != CoordMessage.Step.STOP) {
            enter(m);
        }
        if (m.term() != term || m.epoch() != epoch || m.round() != round) {
            return;
        }
        switch (m.step()) {
            case PREPARE -> {
                if (stage == Stage.PREPARING && checkpointDone) {
                    answer(CoordMessage.Step.PREPARE);
                }
            }
            case HOLD -> onHold(m);
            case RESUME -> onResume();
            case STOP -> onStop(m);
        }
    }

    /** From here on this node knows no earlier round; one that begins with RESUME was over before it began. */
    private void enter(CoordMessage.SwitchoverStep m) {
        if (stage == Stage.STOPPING) {
            return;
        }
        if (stage == Stage.HOLDING) {
            resume("another switchover begins");
        }
        term = m.term();
        epoch = m.epoch();
        round = m.round();
        if (m.step() == CoordMessage.Step.PREPARE) {
            stage = Stage.PREPARING;
            checkpointDone = false;
            ctx.add(new Action.Checkpoint(round));
        }
    }

    private void onHold(CoordMessage.SwitchoverStep m) {
        switch (stage) {
            case PREPARING -> hold(m);
            case HOLDING -> told = 0;
            case NONE -> answer(CoordMessage.Step.RESUME);
            case STOPPING, STOPPED -> {
                // Its leader will see the server's end.
            }
        }
    }

    private void onResume() {
        if (stage == Stage.STOPPING) {
            return;
        }
        if (stage == Stage.HOLDING) {
            resume("the switchover was given up");
        }
        stage = Stage.NONE;
        answer(CoordMessage.Step.RESUME);
    }

    private void onStop(CoordMessage.SwitchoverStep m) {
        if (stage == Stage.HOLDING) {
            stage = Stage.STOPPING;
            ctx.tell("failover", "is fenced and stops its server, %s takes over".formatted(m.heir()));
            primary.handOver(m.heir());
        } else if (stage != Stage.STOPPING && stage != Stage.STOPPED) {
            answer(CoordMessage.Step.RESUME);
        }
    }

    private void hold(CoordMessage.SwitchoverStep m) {
        stage = Stage.HOLDING;
        drained = false;
        heldAt = ctx.now;
        drainUntil = ctx.now + ctx.millis(m.drainMillis());
        holdUntil = drainUntil + ctx.stretched(HOLD_SLACK_NANOS);
        told = 0;
        ctx.tell("failover", "holds new transactions back, %s is to take over".formatted(m.heir()));
        ctx.add(new Action.DrainFront(epoch, round, m.drainMillis()));
    }

    private void resume(String why) {
        stage = Stage.NONE;
        ctx.tell("failover", "lets transactions begin again: " + why);
        ctx.add(new Action.ResumeFront());
    }

    /** When first so, and when asked again. */
    private void answerHeld() {
        if (told == 0) {
            told = ctx.now;
            answer(CoordMessage.Step.HOLD);
        }
    }

    private void answer(CoordMessage.Step step) {
        NodeId leader = ctx.leaderId;
        if (leader != null) {
            long held = stage == Stage.HOLDING ? (ctx.now - heldAt) / Context.MILLIS : 0;
            ctx.send(leader, new CoordMessage.SwitchoverStepDone(ctx.term, epoch, round, step, held));
        }
    }

    // ---- what happens

    void onCheckpointDone(long done) {
        if (stage == Stage.PREPARING && done == round) {
            checkpointDone = true;
            answer(CoordMessage.Step.PREPARE);
        }
    }

    /** What was to stop has stopped, or ended by itself. */
    void onServerDown() {
        if (stage == Stage.HOLDING) {
            resume("its server ended");
        }
        stage = stage == Stage.STOPPING || stage == Stage.STOPPED ? Stage.STOPPED : Stage.NONE;
    }

    void onFrontDrained(long done) {
        if (stage == Stage.HOLDING && done == round) {
            drained = true;
            answerHeld();
        }
    }
}
