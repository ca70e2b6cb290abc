package io.quantadb.node.front;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PeerHeaderTest {
    @Test
    void readsWhatItWrote() {
        var session = new PeerHeader.SessionHeader("192.0.2.7:5000");
        byte[] packet = Wire.bytes(Wire.cancel(7, 42));
        assertThat(PeerHeader.parse(PeerHeader.encode(session))).isEqualTo(session);
        assertThat(PeerHeader.parse(PeerHeader.encode(new PeerHeader.CancelHeader("192.0.2.7:5000", packet))))
                .isInstanceOfSatisfying(PeerHeader.CancelHeader.class, h -> {
                    assertThat(h.packet()).isEqualTo(packet);
                    assertThat(h.clientAddress()).isEqualTo("192.0.2.7:5000");
                });
    }

    @Test
    void makesAnAddressSafeForTheLog() {
        byte[] bytes = PeerHeader.encode(new PeerHeader.SessionHeader("x\n[raft] elected\u0007" + "y".repeat(500)));
        PeerHeader header = PeerHeader.parse(bytes);
        assertThat(header).isNotNull();
        assertThat(header.clientAddress()).startsWith("x?[raft] elected?").hasSize(100);
    }

    @ParameterizedTest(name = "seed={0}")
    @MethodSource("seeds")
    void refusesOrReadsAnyBytes(long seed) {
        var random = new Random(seed);
        byte[] bytes = PeerHeader.encode(new PeerHeader.CancelHeader("192.0.2.7:5000", new byte[16]));
        for (int i = 0; i < 1 + random.nextInt(3); i++) {
            bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
        }
        byte[] cut = java.util.Arrays.copyOf(bytes, random.nextInt(bytes.length + 1));
        PeerHeader header = PeerHeader.parse(cut);
        assertThat(header == null || header.clientAddress().length() <= 100).isTrue();
    }

    static LongStream seeds() {
        return LongStream.range(0, 100);
    }
}
