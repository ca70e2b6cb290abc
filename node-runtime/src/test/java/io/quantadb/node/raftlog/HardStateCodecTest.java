package io.quantadb.node.raftlog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import io.quantadb.node.raft.HardState;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class HardStateCodecTest {
    private static final PeerId VOTE = new PeerId(new NodeId("node2"), 77);

    static Stream<HardState> states() {
        return Stream.of(
                new HardState(0, null, false),
                new HardState(9, VOTE, false),
                new HardState(9, null, true),
                new HardState(Long.MAX_VALUE, VOTE, true, true));
    }

    @ParameterizedTest
    @MethodSource("states")
    void readsWhatItWrote(HardState state) {
        // When
        HardStateCodec.Stored read = HardStateCodec.decode(HardStateCodec.encode(new HardStateCodec.Stored(state, 5)));

        // Then
        assertThat(read).isEqualTo(new HardStateCodec.Stored(state, 5));
    }

    /** It would take the mark for that of a voter in good standing. */
    @Test
    void isReadByAReleaseThatKnowsNoRegressOnlyWhereThereIsNone() {
        // When
        List<Byte> versions = states().map(s -> HardStateCodec.encode(new HardStateCodec.Stored(s, 5))[0])
                .toList();

        // Then
        assertThat(versions).containsExactly((byte) 1, (byte) 1, (byte) 1, (byte) 2);
    }

    @Test
    void refusesAVersionThatIsNewer() {
        // Given
        byte[] bytes = HardStateCodec.encode(new HardStateCodec.Stored(HardState.NONE, 1));
        bytes[0] = 3;

        // Then
        assertThatThrownBy(() -> HardStateCodec.decode(bytes))
                .isInstanceOf(LocalFault.class)
                .hasMessageContaining("version 3");
    }
}
