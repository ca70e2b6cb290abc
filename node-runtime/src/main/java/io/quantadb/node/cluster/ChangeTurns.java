package io.quantadb.node.cluster;

import org.jspecify.annotations.Nullable;

/**
 * Lets changes of the settings or of a member's place, and removals of members, follow one another, so that each is made of,
 * and checked against, what the one before it left: settings and places are proposed as a whole, and two that were made of the
 * same ones would undo each other; of two members, each may go and not both. Owned by the core's thread.
 */
final class ChangeTurns {
    /** One that is not in the state by then was lost on its way, or refused there. */
    private static final long LOST_NANOS = 5_000 * Context.MILLIS;

    private final Context ctx;
    private @Nullable Command proposed;
    private long term;
    private long since;

    ChangeTurns(Context ctx) {
        this.ctx = ctx;
    }

    void onProposed(Command command) {
        boolean counts = switch (command) {
            case Command.ChangeSettings _, Command.SetPlacement _ -> true;
            case Command.SetMemberState c -> c.state() == MemberState.LEAVING;
            default -> false;
        };
        if (counts) {
            proposed = command;
            term = ctx.term;
            since = ctx.now;
        }
    }

    void onFailed(Command command) {
        if (command.equals(proposed)) {
            proposed = null;
        }
    }

    /** Whether a change is on its way, so that the state does not show yet what the next one would change. */
    boolean underWay() {
        Command c = proposed;
        if (c != null && (term != ctx.term || ctx.now - since >= LOST_NANOS || isSo(c))) {
            proposed = null;
        }
        return proposed != null;
    }

    private boolean isSo(Command change) {
        return switch (change) {
            case Command.ChangeSettings c -> c.settings().equals(ctx.state.settings());
            case Command.SetMemberState c -> {
                Member m = ctx.state.member(c.peer());
                yield m == null || m.state() == c.state();
            }
            case Command.SetPlacement c -> {
                Member m = ctx.state.member(c.peer());
                yield m == null || m.set().equals(c.placement());
            }
            default -> true;
        };
    }
}
