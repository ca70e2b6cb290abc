package io.quantadb.node.relay;

import io.netty.channel.Channel;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A log-in at the local server made before it is needed: while a standby is being promoted, so that the promotion does not
 * wait for a walsender to start. Only what is asked after the promotion makes it a session of the primary (IDENTIFY_SYSTEM).
 *
 * <p>One at a time; closed when nobody takes it. Confined to the relay's loop.
 */
final class LoginAhead {
    /** As long as a promotion may take. */
    private static final long KEPT_MS = TimeUnit.SECONDS.toMillis(60);

    private final RelayContext context;
    private final String applicationName;

    private int attempt;
    private boolean underWay;
    private @Nullable Channel ready;
    private String version = "";
    private PgLogin.@Nullable Outcome taker;

    LoginAhead(RelayContext context, String applicationName) {
        this.context = context;
        this.applicationName = applicationName;
    }

    void begin() {
        drop();
        int mine = attempt;
        underWay = true;
        PgLogin.start(context.loop(), context.config(), applicationName, new PgLogin.Outcome() {
            @Override
            public void onReady(Channel channel, String serverVersion) {
                if (mine == attempt) {
                    LoginAhead.this.onReady(channel, serverVersion);
                } else {
                    RelayContext.close(channel);
                }
            }

            @Override
            public void onFailed(String reason) {
                if (mine == attempt) {
                    LoginAhead.this.onFailed(reason);
                }
            }
        });
        context.after(KEPT_MS, () -> {
            if (mine == attempt) {
                drop();
            }
        });
    }

    /** Tells the outcome, now or when it is there; false when there is none to be had, and nothing is told. */
    boolean take(PgLogin.Outcome outcome) {
        Channel open = ready;
        if (open != null && open.isActive()) {
            ready = null;
            attempt++;
            outcome.onReady(open, version);
            return true;
        }
        if (underWay) {
            taker = outcome;
            return true;
        }
        return false;
    }

    private void onReady(Channel channel, String serverVersion) {
        underWay = false;
        ready = channel;
        version = serverVersion;
        PgLogin.Outcome waits = taker;
        taker = null;
        if (waits != null) {
            var _ = take(waits);
        }
    }

    private void onFailed(String reason) {
        underWay = false;
        PgLogin.Outcome waits = taker;
        taker = null;
        if (waits != null) {
            waits.onFailed(reason);
        }
    }

    /** What is under way or ready is not wanted any more. */
    void drop() {
        attempt++;
        underWay = false;
        taker = null;
        Channel open = ready;
        ready = null;
        if (open != null) {
            RelayContext.close(open);
        }
    }
}
