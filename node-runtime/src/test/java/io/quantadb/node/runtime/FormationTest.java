package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.netty.channel.embedded.EmbeddedChannel;
import io.quantadb.node.cli.ExitCode;
import io.quantadb.node.cli.Failure;
import io.quantadb.node.cluster.Addresses;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.transport.PeerStreams;
import io.quantadb.node.transport.StreamKind;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** When a node that belongs to no cluster gives up, and with which exit code. */
@Timeout(20)
final class FormationTest {
    private static final HostPort ONE = new HostPort("127.0.0.1", 6432);
    private static final HostPort TWO = new HostPort("127.0.0.1", 6433);
    private static final Duration PATIENCE = Duration.ofMinutes(5);
    private static final Greeting SELF = greeting("n9", "", "");

    private final AtomicLong nanos = new AtomicLong();
    private final AtomicInteger asked = new AtomicInteger();
    private final Peers peers = new Peers();
    private final Formation formation = new Formation(peers, nanos::get, PATIENCE);

    @Test
    void endsAtOnceWhenEveryAddressRefusesTheCertificate() {
        // Given
        peers.fails(ONE, new PeerStreams.CertificateRefused(ONE + ": of another cluster"));
        peers.fails(TWO, new PeerStreams.CertificateRefused(TWO + ": expired"));

        // When
        Failure failure = joining();

        // Then
        assertThat(failure.code()).isEqualTo(ExitCode.CERTIFICATE);
        assertThat(failure.line()).contains("6432: of another cluster").contains("6433: expired");
        assertThat(asked).hasValue(0);
    }

    @Test
    void joinsThroughTheOtherAddressWhenOneIsOfAnotherCluster() throws InterruptedException {
        // Given
        peers.fails(ONE, new PeerStreams.CertificateRefused("of another cluster"));
        peers.answers(TWO, greeting("n2", "c", "n2"));

        // When
        Greeting welcome = formation.join(List.of(ONE, TWO), SELF, asked::incrementAndGet);

        // Then
        assertThat(welcome.clusterId()).isEqualTo("c");
        assertThat(asked).hasValue(1);
    }

    @Test
    void endsWithTheReasonsWhenNobodyAnsweredForTheWholePatience() {
        // Given
        peers.fails(ONE, new IOException(ONE + ": nobody listens"));
        peers.answers(TWO, greeting("n2", "", ""));
        peers.onOpen = () -> nanos.addAndGet(Duration.ofSeconds(20).toNanos());

        // When
        Failure failure = joining();

        // Then
        assertThat(failure.code()).isEqualTo(ExitCode.PEERS);
        assertThat(failure.line())
                .contains("n9", "5m", "6432: nobody listens", "n2 is in no cluster yet", "cluster.join_timeout");
        assertThat(nanos.get()).isGreaterThanOrEqualTo(PATIENCE.toNanos());
        assertThat(asked).hasValue(0);
    }

    @Test
    void waitsBeyondThePatienceForAClusterThatAnswersButHasNoLeader() throws InterruptedException {
        // Given
        AtomicInteger greetings = new AtomicInteger();
        peers.answers(ONE, () -> greeting("n1", "c", greetings.incrementAndGet() > 3 ? "n1" : ""));
        peers.onOpen = () -> nanos.addAndGet(PATIENCE.toNanos() - 1);

        // When
        Greeting welcome = formation.join(List.of(ONE), SELF, asked::incrementAndGet);

        // Then
        assertThat(welcome.clusterId()).isEqualTo("c");
        assertThat(nanos.get()).isGreaterThan(PATIENCE.toNanos() * 3);
    }

    @Test
    void endsAtOnceWhenTheLeaderSaysThatTheIdIsInUse() {
        // Given
        peers.answers(ONE, greeting("n1", "c", "n1"));
        peers.refusesJoin(new PeerStreams.StreamRefused(Formation.ID_IN_USE, "node id n9 is in use"));

        // When
        Failure failure = joining();

        // Then
        assertThat(failure.code()).isEqualTo(ExitCode.IDENTITY);
        assertThat(failure.line()).contains("node id n9 is in use");
    }

    @Test
    void tellsAnIdInUseFromALifeThatIsSpent() {
        // Given
        peers.answers(ONE, greeting("n1", "c", "n1"));
        peers.refusesJoin(new PeerStreams.StreamRefused(Formation.SPENT, "this life of n9 votes already"));

        // When
        Failure failure = joining();

        // Then
        assertThat(failure.line()).contains("this life of n9 votes already");
        assertThat(formation.spent()).isTrue();
        assertThat(formation.refused()).isFalse();
    }

    @Test
    void formsNothingWhenOneListedPeerIsOfAnotherCluster() {
        // Given
        peers.answers(ONE, greeting("n1", "", ""));
        peers.fails(TWO, new PeerStreams.CertificateRefused("of another cluster"));

        // When
        Failure failure = catchThrowableOfType(Failure.class, () -> formation.mayForm(List.of(ONE, TWO), SELF));

        // Then
        assertThat(failure.code()).isEqualTo(ExitCode.CERTIFICATE);
    }

    @Test
    void formsNothingWhenAListedPeerIsSilentForTheWholePatience() {
        // Given
        peers.answers(ONE, greeting("n1", "", ""));
        peers.fails(TWO, new IOException(TWO + ": nobody listens"));
        peers.onOpen = () -> nanos.addAndGet(Duration.ofMinutes(1).toNanos());

        // When
        Failure failure = catchThrowableOfType(Failure.class, () -> formation.mayForm(List.of(ONE, TWO), SELF));

        // Then
        assertThat(failure.code()).isEqualTo(ExitCode.PEERS);
        assertThat(failure.line()).contains("6433: nobody listens").contains("cluster.peers");
    }

    private Failure joining() {
        return catchThrowableOfType(
                Failure.class, () -> formation.join(List.of(ONE, TWO), SELF, asked::incrementAndGet));
    }

    private static Greeting greeting(String node, String cluster, String leader) {
        NodeId id = new NodeId(node);
        Map<NodeId, Addresses> members = Map.of(id, new Addresses(ONE, ONE, ONE, ONE, ONE));
        return new Greeting(id, 1, cluster, 1, leader, members, Map.of());
    }

    /** Peers by address, without a network. */
    private static final class Peers implements PeerStreams {
        private final Map<HostPort, Function<StreamKind, CompletableFuture<Opened>>> there = new HashMap<>();
        private RuntimeException joinRefusal;
        private Runnable onOpen = () -> {};

        void fails(HostPort address, Exception why) {
            there.put(address, kind -> CompletableFuture.failedFuture(why));
        }

        void answers(HostPort address, Greeting greeting) {
            answers(address, () -> greeting);
        }

        void answers(HostPort address, java.util.function.Supplier<Greeting> greeting) {
            there.put(address, kind -> {
                Greeting said = greeting.get();
                return CompletableFuture.completedFuture(new Opened(new EmbeddedChannel(), said.node(), said.encode()));
            });
        }

        void refusesJoin(RuntimeException why) {
            joinRefusal = why;
        }

        @Override
        public CompletableFuture<Opened> open(
                HostPort address, NodeId expected, StreamKind kind, byte[] header, Duration deadline) {
            onOpen.run();
            if (kind == StreamKind.JOIN) {
                return joinRefusal == null
                        ? answer(greeting("n1", "c", "n1"))
                        : CompletableFuture.failedFuture(joinRefusal);
            }
            return there.get(address).apply(kind);
        }

        private static CompletableFuture<Opened> answer(Greeting said) {
            return CompletableFuture.completedFuture(new Opened(new EmbeddedChannel(), said.node(), said.encode()));
        }

        @Override
        public void start() {}

        @Override
        public void setAcceptor(StreamKind kind, Acceptor acceptor) {}

        @Override
        public HostPort address() {
            return ONE;
        }

        @Override
        public void close() {}
    }
}
