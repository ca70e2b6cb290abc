package io.quantadb.node.verify;

import java.time.Duration;

/** Time that passes only when somebody sleeps. */
final class TestingPauses implements Pauses {
    private long nanos = 1;

    @Override
    public long nanos() {
        return nanos;
    }

    @Override
    public void sleep(Duration time) {
        nanos += time.toNanos();
    }

    Duration passed() {
        return Duration.ofNanos(nanos - 1);
    }
}
