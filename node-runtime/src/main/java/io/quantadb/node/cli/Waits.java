package io.quantadb.node.cli;

import io.quantadb.node.config.Durations;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;

/** What commands share that wait for a cluster to come to something. */
final class Waits {
    private static final Duration POLL = Duration.ofMillis(100);

    private Waits() {}

    /** A flag's time; throws {@link Failure} when it is none. */
    static Duration duration(String flag, String text) {
        try {
            return Durations.parse(text);
        } catch (IllegalArgumentException e) {
            throw new Failure(
                    ExitCode.CONFIG,
                    "%s %s %s".formatted(flag, text, e.getMessage()),
                    "write %s 30s".formatted(flag),
                    e);
        }
    }

    /**
     * Asks again for what is refused only for a moment, as while another node comes back; throws the refusal once the
     * patience is over.
     *
     * @param hint of the refusal that is thrown then
     */
    static <T> T granted(Duration patience, Supplier<T> ask, String hint) {
        long began = System.nanoTime();
        while (true) {
            try {
                return ask.get();
            } catch (Failure e) {
                if (e.code() != ExitCode.REFUSED || System.nanoTime() - began >= patience.toNanos()) {
                    throw e.code() == ExitCode.REFUSED
                            ? new Failure(e.code(), String.valueOf(e.getMessage()), hint, e)
                            : e;
                }
            }
            LockSupport.parkNanos(POLL.toNanos());
        }
    }

    /** Looks until it is so, and returns what was seen then; throws {@link Failure} when it is not so in time. */
    static <T> T until(Duration wait, Supplier<T> look, Predicate<T> soFar, Function<T, String> late, String hint) {
        long began = System.nanoTime();
        while (true) {
            T seen = look.get();
            if (soFar.test(seen)) {
                return seen;
            }
            if (System.nanoTime() - began > wait.toNanos()) {
                throw new Failure(ExitCode.TIMEOUT, late.apply(seen), hint);
            }
            LockSupport.parkNanos(POLL.toNanos());
        }
    }
}
