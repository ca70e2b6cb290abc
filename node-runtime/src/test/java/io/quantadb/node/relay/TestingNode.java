package io.quantadb.node.relay;

import io.netty.channel.EventLoopGroup;
import io.quantadb.node.cluster.Event;
import io.quantadb.node.cluster.Position;
import io.quantadb.node.cluster.Rule;
import io.quantadb.node.cluster.VoicePermit;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.testing.PostgresVersion;
import io.quantadb.node.testing.TestingPostgres;
import io.quantadb.node.transport.PeerStreams;
import java.time.Duration;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;

/** One node of a test: a real server, its relay, and what the relay told. */
final class TestingNode implements AutoCloseable {
    static final int RECEIVER_PORT = 6432;

    final NodeId id;
    final TestingPostgres postgres;
    final PeerStreams streams;
    final WalRelay relay;
    final List<Event> events = new CopyOnWriteArrayList<>();
    final AtomicBoolean lease = new AtomicBoolean(true);

    TestingNode(String name, PostgresVersion version, EventLoopGroup bulk, EventLoopGroup network) {
        this(name, version, bulk, new TestingPeerStreams(new NodeId(name), network));
    }

    TestingNode(String name, PostgresVersion version, EventLoopGroup bulk, PeerStreams peers) {
        this(name, version, bulk, peers, Duration.ofSeconds(60));
    }

    /** @param copyTimeout how long a base backup of its server may make no progress */
    TestingNode(
            String name, PostgresVersion version, EventLoopGroup bulk, EventLoopGroup network, Duration copyTimeout) {
        this(name, version, bulk, new TestingPeerStreams(new NodeId(name), network), copyTimeout);
    }

    private TestingNode(
            String name, PostgresVersion version, EventLoopGroup bulk, PeerStreams peers, Duration copyTimeout) {
        id = new NodeId(name);
        postgres = TestingPostgres.create(version)
                .set("synchronous_commit", "on")
                .set("synchronous_standby_names", "ANY 1 (quantadb_voice)")
                .set("max_connections", "100")
                .set("max_wal_senders", "10")
                .set("wal_receiver_timeout", "4s")
                .set("wal_sender_timeout", "4s");
        streams = peers;
        relay = new WalRelay(
                RelayConfig.of(
                                id,
                                7,
                                postgres.home(),
                                RECEIVER_PORT,
                                postgres.home(),
                                5432,
                                "postgres",
                                version == PostgresVersion.V15 ? "15.0" : "18.0")
                        .withCopyTimeout(copyTimeout),
                streams,
                bulk,
                events::add,
                (epoch, now) -> lease.get(),
                System::nanoTime);
        relay.start();
    }

    TestingPeerStreams plain() {
        return (TestingPeerStreams) streams;
    }

    TestingNode asPrimary() {
        postgres.start();
        return this;
    }

    /** Starts in recovery, its WAL receiver pointed at its own relay. */
    TestingNode asStandby() {
        postgres.standbyOf(postgres, "quantadb")
                .set("primary_conninfo", "host=%s port=%d user=postgres".formatted(postgres.home(), RECEIVER_PORT));
        postgres.start();
        return this;
    }

    /** Follows with what the server has replayed as the checked position: all of it is on disk. */
    void follow(TestingNode upstream, long epoch, int timeline) {
        relay.follow(upstream.id, upstream.streams.address(), epoch, 1, new Position(timeline, replayed()));
    }

    Lsn replayed() {
        return Lsn.parse(one("SELECT coalesce(pg_last_wal_replay_lsn(), '0/0')"));
    }

    String one(String sql) {
        return postgres.query(sql).single();
    }

    MemberRef member() {
        return new MemberRef(id, 1);
    }

    <T extends Event> List<T> told(Class<T> kind) {
        return events.stream().filter(kind::isInstance).map(kind::cast).toList();
    }

    static VoicePermit permit(long epoch, long version, int k, TestingNode... members) {
        return new VoicePermit(epoch, version, new MemberRef(new NodeId("self"), 1), rule(k, members), null);
    }

    static Rule rule(int k, TestingNode... members) {
        return new Rule(
                new TreeSet<>(Stream.of(members).map(TestingNode::member).toList()), k);
    }

    @Override
    public void close() {
        relay.close();
        streams.close();
        postgres.close();
    }
}
