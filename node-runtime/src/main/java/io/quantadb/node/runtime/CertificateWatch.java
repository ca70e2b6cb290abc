package io.quantadb.node.runtime;

import static io.quantadb.node.common.LogKeys.CLUSTER;

import io.quantadb.node.common.NodeException;
import io.quantadb.node.pki.Validity;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says in good time that a certificate of this node ends, and that it has ended. Connections between nodes are made
 * seldom and those that stand outlive their certificates, so without this an expired one would first be noticed in a
 * failover. Each look also has changed files read, with no connection needed for it.
 *
 * <p>A certificate's end is near in the last 30 days, or the last fifth of a shorter life; that is said once a day, that
 * it is over once an hour. {@link #look} belongs to one thread at a time and waits for the disk.
 */
final class CertificateWatch {
    private static final Logger LOGGER = LoggerFactory.getLogger(CertificateWatch.class);
    private static final Duration LOOK_EVERY = Duration.ofMinutes(1);
    private static final Duration NEAR_MAX = Duration.ofDays(30);
    private static final int NEAR_PART = 5;
    private static final Duration NEAR_SAID_EVERY = Duration.ofDays(1);
    private static final Duration OVER_SAID_EVERY = Duration.ofHours(1);

    /** How far a certificate's end is. */
    private enum Stage {
        FAR,
        NEAR,
        OVER
    }

    private record Said(Stage stage, Instant at) {}

    private final Supplier<List<Validity>> certificates;
    private final InstantSource wall;
    private final Map<Validity, Said> said = new HashMap<>();

    /** @param certificates how long each certificate in use is good, its file having been looked at */
    CertificateWatch(Supplier<List<Validity>> certificates, InstantSource wall) {
        this.certificates = certificates;
        this.wall = wall;
    }

    /** Looks now and then once a minute, on a thread of its own, until what is returned is closed. */
    AutoCloseable start() {
        Thread watcher = Thread.ofVirtual().name("quantadb-certificates").start(() -> {
            try {
                while (true) {
                    look();
                    Thread.sleep(LOOK_EVERY);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        return watcher::interrupt;
    }

    void look() {
        try {
            List<Validity> inUse = certificates.get();
            said.keySet().retainAll(inUse);
            inUse.forEach(this::judge);
        } catch (NodeException e) {
            LOGGER.atWarn().addMarker(CLUSTER).setCause(e).log("the certificate files could not be looked at");
        }
    }

    private void judge(Validity certificate) {
        Instant now = wall.instant();
        Stage stage = stage(certificate, now);
        if (stage != Stage.FAR && isDue(said.get(certificate), stage, now)) {
            said.put(certificate, new Said(stage, now));
            tell(certificate, stage);
        }
    }

    private static Stage stage(Validity certificate, Instant now) {
        Duration left = Duration.between(now, certificate.until());
        Duration near =
                Duration.between(certificate.from(), certificate.until()).dividedBy(NEAR_PART);
        if (left.isNegative() || left.isZero()) {
            return Stage.OVER;
        }
        return left.compareTo(near.compareTo(NEAR_MAX) < 0 ? near : NEAR_MAX) < 0 ? Stage.NEAR : Stage.FAR;
    }

    private static boolean isDue(@Nullable Said before, Stage stage, Instant now) {
        if (before == null || before.stage() != stage) {
            return true;
        }
        Duration pause = stage == Stage.OVER ? OVER_SAID_EVERY : NEAR_SAID_EVERY;
        return Duration.between(before.at(), now).abs().compareTo(pause) >= 0;
    }

    private static void tell(Validity certificate, Stage stage) {
        boolean over = stage == Stage.OVER;
        (over ? LOGGER.atError() : LOGGER.atWarn())
                .addMarker(CLUSTER)
                .addKeyValue("certificate", certificate.what())
                .addKeyValue("file", certificate.file())
                .addKeyValue("expires", certificate.until())
                .log(
                        over
                                ? "a certificate of this node has expired: open connections go on, new ones are refused; "
                                        + "put a new one into its file, no restart is needed"
                                : "a certificate of this node expires soon: put a new one into its file, no restart is needed");
    }
}
