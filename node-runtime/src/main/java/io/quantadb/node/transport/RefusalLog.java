package io.quantadb.node.transport;

import static io.quantadb.node.common.LogKeys.ADDRESS;
import static io.quantadb.node.common.LogKeys.CLUSTER;
import static io.quantadb.node.common.LogKeys.REASON;

import io.quantadb.node.common.MonotonicClock;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says that somebody was refused, once per interval for each kind of message and address: a stranger that dials every
 * 20 ms must not fill the disk. At most {@value #MAX_KEYS} are remembered; beyond that lines are dropped. Any thread.
 */
final class RefusalLog {
    static final Duration INTERVAL = Duration.ofSeconds(30);
    private static final int MAX_KEYS = 256;
    private static final Logger LOGGER = LoggerFactory.getLogger(RefusalLog.class);

    private final MonotonicClock clock;
    private final Map<String, Long> lastNanos = new HashMap<>();

    RefusalLog(MonotonicClock clock) {
        this.clock = clock;
    }

    /** {@code what} is a constant sentence; {@code address} whom it concerns; {@code words} what to do. */
    void warn(String what, String address, String words) {
        if (isDue(what + '|' + address + '|' + words)) {
            LOGGER.atWarn()
                    .addMarker(CLUSTER)
                    .addKeyValue(ADDRESS, address)
                    .addKeyValue(REASON, words)
                    .log(what);
        }
    }

    synchronized boolean isDue(String key) {
        long now = clock.nanos();
        Long last = lastNanos.get(key);
        if (last != null && now - last < INTERVAL.toNanos()) {
            return false;
        }
        if (last == null && lastNanos.size() >= MAX_KEYS) {
            lastNanos.values().removeIf(then -> now - then >= INTERVAL.toNanos());
            if (lastNanos.size() >= MAX_KEYS) {
                return false;
            }
        }
        lastNanos.put(key, now);
        return true;
    }
}
