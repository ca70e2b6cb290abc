package io.quantadb.node.cluster;

import io.quantadb.node.common.NodeId;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/** Whether a failover that is called for may begin, and what it waits for, in words for people. The core's thread. */
final class HeldBack {
    static final String MAINTENANCE = "the cluster is in maintenance";

    private final Context ctx;
    private final Reports reports;
    private final MoveBackoff backoff;
    private String words = "";
    private boolean askedFor;

    HeldBack(Context ctx, Reports reports) {
        this.ctx = ctx;
        this.reports = reports;
        this.backoff = new MoveBackoff(ctx);
    }

    /** Empty when nothing is held back. */
    String words() {
        return words;
    }

    /** Nothing is held back any more. */
    void clear() {
        askedFor = false;
        words = "";
    }

    /** Somebody wants the primary moved: what is held back begins. */
    void override() {
        askedFor = !words.isEmpty();
    }

    /** At once, but away from a primary that lives: not in maintenance, and not to and fro. */
    boolean mayBegin(Cause cause) {
        if (!cause.living() || askedFor) {
            return true;
        }
        long wait = backoff.waitMillis(cause);
        if (ctx.state.settings().pausedAt(ctx.wallMillis)) {
            say("%s; %s".formatted(cause.words(), MAINTENANCE));
        } else if (wait > 0) {
            int moves = backoff.moves(cause);
            say("%s; the primary moved for that %s lately and stays for now; quantadb switchover moves it at once"
                    .formatted(cause.words(), moves == 1 ? "once" : moves + " times"));
        } else {
            return true;
        }
        return false;
    }

    /** There is no cause to move away from a living primary any more. */
    void livingCauseOver() {
        backoff.over();
    }

    /** Said once for each reason to wait. */
    void say(String why) {
        if (!why.equals(words)) {
            words = why;
            ctx.tell("failover", "holds the failover back: " + why);
        }
    }

    /** What is missing for a failover that has asked all and could not begin. */
    void sayMissing(Cause cause, Map<NodeId, LocalStatus> probes) {
        ClusterState s = ctx.state;
        if (s.rule().k() == 0 && s.settings().mode() != Settings.Mode.ASYNC) {
            say(
                    "%s; commits wait for nobody else, so nobody else can be sure to have them all: bring %s back, or see quantadb failover --force"
                            .formatted(cause.words(), s.releasedPrimary()));
            return;
        }
        String objections = s.dataVoters().stream()
                .map(Member::node)
                .filter(n -> !n.equals(s.primary()))
                .map(n -> Candidates.objection(ctx.rules, s, n, reports.latest(n, probes)))
                .filter(Objects::nonNull)
                .collect(Collectors.joining("; "));
        String missing = objections.isEmpty() ? "too few of those that acknowledge commits answer" : objections;
        say("%s; %s".formatted(cause.words(), missing));
    }
}
