package io.quantadb.node.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LinkLayersTest {
    private static final Link ONE = new Link(0, 1);
    private static final Link OTHER = new Link(1, 0);

    private final Map<Link, LinkFaults> network = new HashMap<>();
    private final LinkLayers layers = new LinkLayers(network::put);

    @Test
    void eachStrikeEndsItsOwnFaultsWhoeverBeganFirst() throws Exception {
        // Given
        Strike.Undo late = layers.impose(List.of(ONE, OTHER), LinkFaults.delay(50, 0));
        Strike.Undo cut = layers.impose(List.of(ONE), LinkFaults.severed());
        assertThat(network.get(ONE)).isEqualTo(new LinkFaults(50, 0, 0, 0, true));
        assertThat(network.get(OTHER)).isEqualTo(LinkFaults.delay(50, 0));

        // When
        late.run();

        // Then
        assertThat(network.get(ONE)).isEqualTo(LinkFaults.severed());
        assertThat(network.get(OTHER)).isEqualTo(LinkFaults.NONE);
        cut.run();
        assertThat(network.get(ONE)).isEqualTo(LinkFaults.NONE);
    }

    @Test
    void twoStrikesOfOneKindAreTwo() throws Exception {
        // Given
        Strike.Undo first = layers.impose(List.of(ONE), LinkFaults.severed());
        Strike.Undo second = layers.impose(List.of(ONE), LinkFaults.severed());

        // When
        first.run();

        // Then
        assertThat(network.get(ONE).cut()).isTrue();
        second.run();
        assertThat(network.get(ONE).cut()).isFalse();
    }

    @Test
    void whatIsUndoneAfterEverythingWasMendedChangesNothing() throws Exception {
        // Given
        Strike.Undo early = layers.impose(List.of(ONE), LinkFaults.severed());
        layers.clear(Link.all(2));
        Strike.Undo now = layers.impose(List.of(ONE), LinkFaults.delay(10, 0));

        // When
        early.run();

        // Then
        assertThat(network.get(ONE)).isEqualTo(LinkFaults.delay(10, 0));
        now.run();
        assertThat(network).containsEntry(ONE, LinkFaults.NONE).containsEntry(OTHER, LinkFaults.NONE);
    }
}
