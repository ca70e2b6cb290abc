package io.quantadb.node.raftlog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quantadb.node.common.NodeException.LocalFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DurableSlotsTest {
    @TempDir
    Path directory;

    @Test
    void isEmptyAtFirstAndThenHoldsTheLastValue() {
        // Given
        Path file = directory.resolve("value");
        try (DurableSlots slots = DurableSlots.open(file)) {
            assertThat(slots.read()).isNull();

            // When
            for (int i = 0; i < 7; i++) {
                slots.write(value(i, 4096 - i * 600));
            }
        }

        // Then
        try (DurableSlots slots = DurableSlots.open(file)) {
            assertThat(slots.read()).isEqualTo(value(6, 4096 - 6 * 600));
        }
    }

    @Test
    void fallsBackToTheValueBeforeWhenAWriteWasCutOff() throws IOException {
        for (int round = 0; round < 30; round++) {
            // Given
            RandomGenerator random = new SplittableRandom(round);
            Path file = directory.resolve("value" + round);
            byte[] previous = value(round, random.nextInt(4097));
            byte[] next = value(round + 1, random.nextInt(4097));
            byte[] before;
            try (DurableSlots slots = DurableSlots.open(file)) {
                for (int i = 0; i < random.nextInt(4); i++) {
                    slots.write(value(i, random.nextInt(4097)));
                }
                slots.write(previous);
                before = Files.readAllBytes(file);
                slots.write(next);
            }

            // When
            byte[] after = Files.readAllBytes(file);
            for (int at = 0; at < after.length; at += Sectors.SIZE) {
                if (random.nextBoolean()) {
                    System.arraycopy(before, at, after, at, Sectors.SIZE);
                }
            }
            Files.write(file, after);

            // Then
            try (DurableSlots slots = DurableSlots.open(file)) {
                assertThat(slots.read()).isIn(previous, next);
            }
        }
    }

    @Test
    void neverHandsOutAnOlderValueWhenABitWasFlipped() throws IOException {
        for (int round = 0; round < 50; round++) {
            // Given
            RandomGenerator random = new SplittableRandom(round);
            Path file = directory.resolve("value" + round);
            try (DurableSlots slots = DurableSlots.open(file)) {
                slots.write(value(1, 100));
                slots.write(value(2, random.nextInt(4097)));
            }
            byte[] bytes = Files.readAllBytes(file);

            // When
            bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
            Files.write(file, bytes);

            // Then
            assertThatThrownBy(() -> DurableSlots.open(file))
                    .isInstanceOf(LocalFault.class)
                    .hasMessageContaining(file.toString())
                    .hasMessageContaining("damaged at byte");
        }
    }

    @Test
    void refusesAValueThatDoesNotFit() {
        try (DurableSlots slots = DurableSlots.open(directory.resolve("value"))) {
            assertThatThrownBy(() -> slots.write(new byte[4097])).isInstanceOf(IllegalArgumentException.class);
        }
    }

    private static byte[] value(int seed, int bytes) {
        byte[] value = new byte[bytes];
        Arrays.fill(value, (byte) (seed + 1));
        return value;
    }
}
