package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.MonotonicClock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

class BootClockTest {
    private static final Path UPTIME = Path.of("/proc/uptime");

    /** Two clocks of one machine: a suspension moves one of them alone. */
    private static final class Machine {
        private long monotonic = 1_000_000;
        private long boot = 9_000_000;

        void runs(Duration time) {
            monotonic += time.toNanos();
            boot += time.toNanos();
        }

        void sleeps(Duration time) {
            boot += time.toNanos();
        }
    }

    @Test
    void aLeaseIsOverWhenAMachineWakesThoughItHardlyRanMeanwhile() {
        // Given
        Machine machine = new Machine();
        ServingLease onBootTime = new ServingLease(() -> machine.boot);
        ServingLease onMonotonic = new ServingLease(() -> machine.monotonic);
        long lease = Duration.ofMillis(240).toNanos();
        onBootTime.set(3, machine.boot + lease);
        onMonotonic.set(3, machine.monotonic + lease);
        machine.runs(Duration.ofMillis(10));
        assertThat(onBootTime.holds(3)).isTrue();

        // When
        machine.sleeps(Duration.ofMinutes(1));
        machine.runs(Duration.ofMillis(1));

        // Then the clock that slept too would have served what others may have overwritten
        assertThat(onBootTime.holds(3)).isFalse();
        assertThat(onMonotonic.holds(3)).isTrue();
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void countsFromTheStartOfTheMachineAsTheKernelDoesAndNeverBack() throws Exception {
        // Given
        MonotonicClock clock = BootClock.orMonotonic();

        // When
        double before = uptimeSeconds();
        double told = clock.nanos() / 1e9;
        double after = uptimeSeconds();

        // Then /proc/uptime has two decimals
        assertThat(clock).isInstanceOf(BootClock.class);
        assertThat(told).isBetween(before - 0.02, after + 0.02);
        long last = clock.nanos();
        for (int i = 0; i < 10_000; i++) {
            long now = clock.nanos();
            assertThat(now).isGreaterThanOrEqualTo(last);
            last = now;
        }
    }

    private static double uptimeSeconds() throws Exception {
        return Double.parseDouble(Files.readString(UPTIME).split(" ")[0]);
    }
}
