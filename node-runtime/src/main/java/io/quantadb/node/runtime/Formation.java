package io.quantadb.node.runtime;

import static io.quantadb.node.common.LogKeys.ADDRESS;
import static io.quantadb.node.common.LogKeys.CLUSTER;
import static io.quantadb.node.common.LogKeys.REASON;

import io.quantadb.node.cluster.Addresses;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.MonotonicClock;
import io.quantadb.node.common.NodeException;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.transport.PeerStreams;
import io.quantadb.node.transport.StreamKind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a node without a cluster gets one. Bootstrapping asks every listed peer whether it knows of a cluster, and silence
 * blocks it; joining asks any member who leads, then asks the leader. Both go on until they succeed or are told to stop,
 * and say every few seconds what they wait for. Blocking; runs on the thread that starts the node.
 */
final class Formation {
    private static final Logger LOGGER = LoggerFactory.getLogger(Formation.class);
    private static final Duration ASK = Duration.ofSeconds(3);
    private static final Duration PAUSE = Duration.ofMillis(250);
    private static final Duration TELL_EVERY = Duration.ofSeconds(5);

    /** Answers of the leader that no retry can change. */
    static final String REJECTED = "REJECTED";

    private final PeerStreams streams;
    private final MonotonicClock clock;
    private long toldNanos;

    Formation(PeerStreams streams, MonotonicClock clock) {
        this.streams = streams;
        this.clock = clock;
        this.toldNanos = clock.nanos();
    }

    /**
     * True once every peer has answered that it knows of no cluster; false as soon as one belongs to a cluster, which
     * is then the one to join. Silence decides nothing.
     */
    boolean mayForm(List<HostPort> peers, Greeting self) throws InterruptedException {
        List<HostPort> silent = new ArrayList<>(peers);
        while (!silent.isEmpty()) {
            for (HostPort peer : List.copyOf(silent)) {
                Greeting answer = hello(peer, self);
                if (answer == null) {
                    continue;
                }
                if (!answer.clusterId().isEmpty()) {
                    LOGGER.atWarn()
                            .addMarker(CLUSTER)
                            .addKeyValue("peer", answer.node())
                            .addKeyValue("cluster", answer.clusterId())
                            .log("told to form a cluster, but a listed peer belongs to one: joining that");
                    return false;
                }
                silent.remove(peer);
            }
            if (!silent.isEmpty()) {
                tell(
                        "waiting for every listed peer to say that it knows of no cluster; silence blocks forming one",
                        silent.toString());
                Thread.sleep(PAUSE);
            }
        }
        return true;
    }

    /** Asks until a leader has taken this node in; returns the leader's greeting. */
    Greeting join(List<HostPort> addresses, Greeting self) throws InterruptedException {
        while (true) {
            for (HostPort address : addresses) {
                Greeting member = hello(address, self);
                if (member == null) {
                    continue;
                }
                Greeting welcome = member.clusterId().isEmpty() ? null : ask(member, self);
                if (welcome != null) {
                    return welcome;
                }
            }
            tell("waiting for a member that can take this node in", addresses.toString());
            Thread.sleep(PAUSE);
        }
    }

    private @Nullable Greeting ask(Greeting member, Greeting self) throws InterruptedException {
        if (member.leader().isEmpty()) {
            tell("the cluster has no leader now; asking again", member.node().value());
            return null;
        }
        NodeId leader = new NodeId(member.leader());
        Addresses at = member.members().get(leader);
        if (at == null) {
            return null;
        }
        return greet(at.replication(), leader, StreamKind.JOIN, self);
    }

    @Nullable
    Greeting hello(HostPort address, Greeting self) throws InterruptedException {
        return greet(address, null, StreamKind.HELLO, self);
    }

    private @Nullable Greeting greet(HostPort address, @Nullable NodeId expected, StreamKind kind, Greeting self)
            throws InterruptedException {
        try {
            PeerStreams.Opened opened = streams.open(address, expected, kind, self.encode(), ASK)
                    .get(ASK.toMillis() + 500, TimeUnit.MILLISECONDS);
            var _ = opened.channel().close();
            return Greeting.decode(opened.reply());
        } catch (ExecutionException e) {
            if (e.getCause() instanceof PeerStreams.StreamRefused refused) {
                if (refused.code().equals(REJECTED)) {
                    throw new NodeException.LocalFault(
                            "%s refused this node: %s".formatted(address, refused.getMessage()), refused);
                }
                tell(refused.getMessage() == null ? refused.code() : refused.getMessage(), address.toString());
            } else {
                tell(String.valueOf(e.getCause() == null ? e : e.getCause().getMessage()), address.toString());
            }
            return null;
        } catch (TimeoutException e) {
            tell("no answer in time", address.toString());
            return null;
        }
    }

    private void tell(String reason, String where) {
        if (clock.nanos() - toldNanos >= TELL_EVERY.toNanos()) {
            toldNanos = clock.nanos();
            LOGGER.atInfo()
                    .addMarker(CLUSTER)
                    .addKeyValue(ADDRESS, where)
                    .addKeyValue(REASON, reason)
                    .log("not in a cluster yet");
        }
    }
}
