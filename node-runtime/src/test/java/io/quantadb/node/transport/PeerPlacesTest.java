package io.quantadb.node.transport;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import org.junit.jupiter.api.Test;

class PeerPlacesTest {
    private static final InetAddress NEW = InetAddress.ofLiteral("10.0.0.7");
    private static final InetAddress OLD = InetAddress.ofLiteral("10.0.0.3");

    private final PeerPlaces places = new PeerPlaces();

    @Test
    void whatStandsComesBeforeWhatNameServersSayUntilItIsLost() {
        assertThat(places.first("db-0", List.of(OLD))).containsExactly(OLD);

        places.reached("db-0", new InetSocketAddress(NEW, 7432));
        assertThat(places.first("db-0", List.of(OLD))).containsExactly(NEW, OLD);
        assertThat(places.first("db-0", List.of(OLD, NEW))).containsExactly(NEW, OLD);
        assertThat(places.first("db-0", List.of())).containsExactly(NEW);
        assertThat(places.first("db-1", List.of(OLD))).containsExactly(OLD);

        places.left("db-0");
        assertThat(places.first("db-0", List.of(OLD))).containsExactly(OLD);
    }

    @Test
    void anAddressThatWasGivenAsSuchIsDialledAsItIs() {
        places.reached("10.0.0.3", new InetSocketAddress(NEW, 7432));
        places.reached("::1", new InetSocketAddress(NEW, 7432));

        assertThat(places.first("10.0.0.3", List.of(OLD))).containsExactly(OLD);
        assertThat(places.first("::1", List.of(OLD))).containsExactly(OLD);
    }
}
