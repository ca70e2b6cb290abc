package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.quantadb.node.cluster.Addresses;
import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.Command;
import io.quantadb.node.cluster.Member;
import io.quantadb.node.cluster.MemberKind;
import io.quantadb.node.cluster.MemberState;
import io.quantadb.node.cluster.ProtocolRules;
import io.quantadb.node.cluster.ServerState;
import io.quantadb.node.cluster.Settings;
import io.quantadb.node.cluster.Transitions;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import io.quantadb.node.front.FrontConfig;
import io.quantadb.node.front.SqlFront;
import io.quantadb.node.transport.PeerStreams;
import io.quantadb.node.transport.StreamKind;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What clients are told while a node serves nobody. */
class FrontAdapterTest {
    private static final NodeId SELF = new NodeId("n1");
    private static final HostPort AT = new HostPort("localhost", 1);

    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final SqlFront front = new SqlFront(
            FrontConfig.of(SELF, any(), any(), Path.of("none")),
            group,
            new Nobody(),
            null,
            epoch -> true,
            pid -> false,
            ticket -> {},
            System::nanoTime);
    private final FrontAdapter adapter =
            new FrontAdapter(SELF, front, new ServingLease(System::nanoTime), () -> Lsn.NONE, round -> {});

    @AfterEach
    void endThreads() {
        var _ = group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    private static InetSocketAddress any() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }

    private static ClusterState alone() {
        var me = new Member(
                new PeerId(SELF, 7),
                1,
                MemberKind.DATA,
                MemberState.VOTER,
                new Addresses(AT, AT, AT, AT, AT),
                "",
                100,
                false);
        return new Transitions(new ProtocolRules())
                .apply(ClusterState.EMPTY, new Command.Bootstrap("c", 42, 1, me, 1, Settings.DEFAULT))
                .state();
    }

    /** Else a client of a node that is promoted hears why it gave way some days before. */
    @Test
    void forgetsWhyItWasShutAsAPrimaryOnceItIsAStandby() {
        // Given
        ClusterState state = alone();
        adapter.view(state, ServerState.PRIMARY);
        adapter.open(1);
        adapter.close("the primary moves to n2");
        String moving = front.view().reason();

        // When
        adapter.view(state, ServerState.STANDBY);
        adapter.view(state, ServerState.PROMOTING);
        String promoted = front.view().reason();
        adapter.view(state, ServerState.PRIMARY);

        // Then
        assertThat(moving).isEqualTo("the primary moves to n2");
        assertThat(promoted).isEqualTo("this node is being promoted");
        assertThat(front.view().reason()).isEqualTo("this node is starting");
    }

    private static final class Nobody implements PeerStreams {
        @Override
        public void start() {}

        @Override
        public void setAcceptor(StreamKind kind, Acceptor acceptor) {}

        @Override
        public CompletableFuture<Opened> open(
                HostPort address, @Nullable NodeId expected, StreamKind kind, byte[] header, Duration deadline) {
            return CompletableFuture.failedFuture(new UnsupportedOperationException("nobody is there"));
        }

        @Override
        public HostPort address() {
            return AT;
        }

        @Override
        public void close() {}
    }
}
