package io.quantadb.node.runtime;

import static io.quantadb.node.common.LogKeys.ADDRESS;
import static io.quantadb.node.common.LogKeys.CLUSTER;
import static io.quantadb.node.common.LogKeys.REASON;

import io.quantadb.node.cli.ExitCode;
import io.quantadb.node.cli.Failure;
import io.quantadb.node.cluster.Addresses;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.MonotonicClock;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.config.Durations;
import io.quantadb.node.transport.PeerStreams;
import io.quantadb.node.transport.StreamKind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a node without a cluster gets one. Bootstrapping asks every listed peer whether it knows of a cluster, and silence
 * blocks it; joining asks any member who leads, then asks the leader. Both say every few seconds what they wait for, and
 * end when they succeed, are told to stop, or know that asking again is in vain:
 *
 * <ul>
 *   <li>this node's certificate and that of every address (of any, when forming) do not fit: {@link ExitCode#CERTIFICATE};
 *   <li>a leader says that the node id is in use, or cannot use the request: {@link ExitCode#IDENTITY}, {@link
 *       ExitCode#PEERS};
 *   <li>nobody who can help has answered for the patience given: {@link ExitCode#PEERS}.
 * </ul>
 *
 * Blocking; runs on the thread that starts the node.
 */
final class Formation {
    private static final Logger LOGGER = LoggerFactory.getLogger(Formation.class);
    private static final Duration ASK = Duration.ofSeconds(3);
    private static final Duration SLACK = Duration.ofMillis(500);
    private static final Duration PAUSE = Duration.ofMillis(250);
    private static final Duration TELL_EVERY = Duration.ofSeconds(5);
    /** A century, which fits into nanoseconds. */
    private static final Duration ENDLESS = Duration.ofDays(36_500);

    /** Answers of the leader that no retry can change. */
    static final String REJECTED = "REJECTED";

    static final String ID_IN_USE = "ID_IN_USE";

    /** The cluster has a voter of this incarnation, which this disk is not any more. */
    static final String SPENT = "SPENT";

    private final PeerStreams streams;
    private final MonotonicClock clock;
    private final Duration patience;
    private final @Nullable String only;
    /** Why each address gave no answer the last time. */
    private final Map<HostPort, String> silence = new LinkedHashMap<>();
    /** Addresses whose certificate and ours do not fit; an answer takes one out. */
    private final Map<HostPort, String> untrusted = new LinkedHashMap<>();

    private long toldNanos;
    private long heardNanos;
    private boolean refused;
    private boolean spent;

    /** @param patience how long to wait while nobody who can help answers */
    Formation(PeerStreams streams, MonotonicClock clock, Duration patience) {
        this(streams, clock, patience, null);
    }

    /** Of a node that has had its cluster, and joins no other however long that takes. */
    static Formation ofOne(String clusterId, PeerStreams streams, MonotonicClock clock) {
        return new Formation(streams, clock, ENDLESS, clusterId);
    }

    private Formation(PeerStreams streams, MonotonicClock clock, Duration patience, @Nullable String only) {
        this.only = only;
        this.streams = streams;
        this.clock = clock;
        this.patience = patience;
        this.toldNanos = clock.nanos();
        this.heardNanos = clock.nanos();
    }

    /** Whether it ended because a leader said no: nothing of this node is known to the cluster then. */
    boolean refused() {
        return refused;
    }

    /** Whether it ended because this incarnation is another disk's: to be asked anew as another one. */
    boolean spent() {
        return spent;
    }

    /** What the listed peers say to a node that would found a cluster. */
    sealed interface Finding {
        /** Every one has answered that it knows of no cluster, and founds none. */
        record Clear() implements Finding {}

        /** One belongs to a cluster. */
        record Known(Greeting member) implements Finding {}

        /** One is founding a cluster itself. */
        record Rival(Greeting founder) implements Finding {}

        /** None of the above, and these have not answered. */
        record Silent(List<HostPort> peers) implements Finding {}
    }

    /** Asks every listed peer once, all at the same time. Silence decides nothing. */
    Finding look(List<HostPort> peers, Greeting self) throws InterruptedException {
        List<HostPort> silent = new ArrayList<>();
        Greeting rival = null;
        for (Map.Entry<HostPort, Optional<Greeting>> answered :
                helloAll(peers, self).entrySet()) {
            Greeting answer = answered.getValue().orElse(null);
            if (answer == null) {
                silent.add(answered.getKey());
            } else if (!answer.clusterId().isEmpty()) {
                return new Finding.Known(answer);
            } else if (answer.isFounding() && !answer.isSpeaker(self)) {
                rival = answer;
            }
        }
        return rival != null
                ? new Finding.Rival(rival)
                : silent.isEmpty() ? new Finding.Clear() : new Finding.Silent(List.copyOf(silent));
    }

    /** All at the same time, so that one that is silent delays nobody but itself. */
    private Map<HostPort, Optional<Greeting>> helloAll(List<HostPort> addresses, Greeting self)
            throws InterruptedException {
        Map<HostPort, CompletableFuture<PeerStreams.Opened>> dials = new LinkedHashMap<>();
        for (HostPort address : addresses) {
            dials.put(address, streams.open(address, null, StreamKind.HELLO, self.encode(), ASK));
        }
        long until = clock.nanos() + ASK.toNanos() + SLACK.toNanos();
        Map<HostPort, Optional<Greeting>> answers = new LinkedHashMap<>();
        for (Map.Entry<HostPort, CompletableFuture<PeerStreams.Opened>> dial : dials.entrySet()) {
            long left = Math.max(1, until - clock.nanos());
            answers.put(dial.getKey(), Optional.ofNullable(answer(dial.getKey(), dial.getValue(), left)));
        }
        return answers;
    }

    /**
     * Asks all addresses once, and each cluster's leader found so to be let in; null when none did. For a node that
     * waits for a permission, which may take for ever: silence ends nothing.
     */
    @Nullable
    Greeting tryJoin(List<HostPort> addresses, Greeting self) throws InterruptedException {
        for (Map.Entry<HostPort, Optional<Greeting>> answered :
                helloAll(addresses, self).entrySet()) {
            Greeting member = answered.getValue().orElse(null);
            Greeting welcome = member == null || member.clusterId().isEmpty()
                    ? null
                    : ask(answered.getKey(), member, self, () -> {});
            if (welcome != null) {
                return welcome;
            }
        }
        tell("waiting for a cluster to join, or for the permission to found one", addresses);
        return null;
    }

    /**
     * True once every peer has answered that it knows of no cluster; false as soon as one belongs to a cluster, which
     * is then the one to join. Silence decides nothing.
     */
    boolean mayForm(List<HostPort> peers, Greeting self) throws InterruptedException {
        List<HostPort> silent = new ArrayList<>(peers);
        heardNanos = clock.nanos();
        while (!silent.isEmpty()) {
            for (HostPort peer : List.copyOf(silent)) {
                Greeting answer = hello(peer, self);
                if (answer == null) {
                    requireTrust(1);
                    continue;
                }
                heardNanos = clock.nanos();
                if (answer.isFounding() && answer.clusterId().isEmpty() && !answer.isSpeaker(self)) {
                    // Of two that would form one at the same time the one with the lower name does.
                    if (answer.node().compareTo(self.node()) < 0) {
                        LOGGER.atWarn()
                                .addMarker(CLUSTER)
                                .addKeyValue("peer", answer.node())
                                .log("told to form a cluster, but a listed peer is forming one: joining that");
                        return false;
                    }
                    silence.put(peer, "node %s is told to form a cluster too".formatted(answer.node()));
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
                requirePatience(self, "was told to form a cluster, and not every peer of cluster.peers has answered");
                tell("waiting for every listed peer to say that it knows of no cluster", silent);
                Thread.sleep(PAUSE);
            }
        }
        return true;
    }

    /**
     * Asks until a leader has taken this node in; returns the leader's greeting.
     *
     * @param beforeAsking runs before a leader hears of this node, as often as one is asked
     */
    Greeting join(List<HostPort> addresses, Greeting self, Runnable beforeAsking) throws InterruptedException {
        heardNanos = clock.nanos();
        while (true) {
            for (HostPort address : addresses) {
                Greeting member = hello(address, self);
                if (member == null) {
                    requireTrust(addresses.size());
                    continue;
                }
                if (member.clusterId().isEmpty()) {
                    silence.put(address, "node %s is in no cluster yet".formatted(member.node()));
                    continue;
                }
                if (only != null && !only.equals(member.clusterId())) {
                    requireNotGivenUp(only, member);
                    silence.put(
                            address,
                            "node %s is of cluster %s, and this disk of %s"
                                    .formatted(member.node(), member.clusterId(), only));
                    continue;
                }
                heardNanos = clock.nanos();
                Greeting welcome = ask(address, member, self, beforeAsking);
                if (welcome != null) {
                    return welcome;
                }
            }
            requirePatience(self, "is in no cluster, and no member of one has answered");
            tell("waiting for a member that can take this node in", addresses);
            Thread.sleep(PAUSE);
        }
    }

    private static void requireNotGivenUp(String own, Greeting member) {
        if (ClusterNames.supersedes(member.clusterId(), own)) {
            throw new Failure(
                    ExitCode.IDENTITY,
                    "cluster %s was given up after a lost majority: node %s is of %s, which was made in its place"
                            .formatted(own, member.node(), member.clusterId()),
                    "save what you need of this node's data directory, empty it, and start the node again: it joins as"
                            + " a new member");
        }
    }

    private @Nullable Greeting ask(HostPort address, Greeting member, Greeting self, Runnable beforeAsking)
            throws InterruptedException {
        if (member.leader().isEmpty()) {
            silence.put(address, "the cluster has no leader now");
            return null;
        }
        NodeId leader = new NodeId(member.leader());
        Addresses at = member.members().get(leader);
        if (at == null) {
            return null;
        }
        beforeAsking.run();
        return greet(at.replication(), leader, StreamKind.JOIN, self);
    }

    /** Has the leader there note what a member says of itself; false where nobody took it. */
    boolean tellMoved(HostPort address, NodeId leader, Greeting self) throws InterruptedException {
        return greet(address, leader, StreamKind.MOVED, self) != null;
    }

    @Nullable
    Greeting hello(HostPort address, Greeting self) throws InterruptedException {
        return greet(address, null, StreamKind.HELLO, self);
    }

    private @Nullable Greeting greet(HostPort address, @Nullable NodeId expected, StreamKind kind, Greeting self)
            throws InterruptedException {
        return answer(
                address,
                streams.open(address, expected, kind, self.encode(), ASK),
                ASK.plus(SLACK).toNanos());
    }

    private @Nullable Greeting answer(HostPort address, CompletableFuture<PeerStreams.Opened> dial, long nanos)
            throws InterruptedException {
        try {
            PeerStreams.Opened opened = dial.get(nanos, TimeUnit.NANOSECONDS);
            var _ = opened.channel().close();
            silence.remove(address);
            untrusted.remove(address);
            return Greeting.decode(opened.reply());
        } catch (ExecutionException e) {
            note(address, e.getCause() == null ? e : e.getCause());
        } catch (TimeoutException e) {
            silence.put(address, address + " did not answer in time");
        }
        return null;
    }

    private void note(HostPort address, Throwable cause) {
        String words = String.valueOf(cause.getMessage() == null ? cause : cause.getMessage());
        silence.put(address, words);
        switch (cause) {
            case PeerStreams.CertificateRefused _ -> untrusted.put(address, words);
            case PeerStreams.StreamRefused answer -> {
                untrusted.remove(address);
                switch (answer.code()) {
                    case ID_IN_USE -> {
                        refused = true;
                        throw new Failure(ExitCode.IDENTITY, words, "", answer);
                    }
                    case SPENT -> {
                        spent = true;
                        throw new Failure(ExitCode.IDENTITY, words, "", answer);
                    }
                    case REJECTED -> {
                        refused = true;
                        throw new Failure(
                                ExitCode.PEERS, "%s refused this node: %s".formatted(address, words), "", answer);
                    }
                    default -> {}
                }
            }
            default -> {}
        }
    }

    /** Fails when {@code enough} addresses are known to be out of the question for good. */
    private void requireTrust(int enough) {
        if (untrusted.size() >= enough) {
            throw new Failure(ExitCode.CERTIFICATE, "no connection to " + reasons(untrusted), "");
        }
    }

    private void requirePatience(Greeting self, String what) {
        if (clock.nanos() - heardNanos < patience.toNanos()) {
            return;
        }
        throw new Failure(
                untrusted.isEmpty() ? ExitCode.PEERS : ExitCode.CERTIFICATE,
                "node %s %s within %s (%s)".formatted(self.node(), what, Durations.format(patience), reasons(silence)),
                "start those nodes, correct --primary or cluster.peers, or set a longer cluster.join_timeout");
    }

    private static String reasons(Map<HostPort, String> words) {
        return words.values().stream().distinct().collect(Collectors.joining("; "));
    }

    private void tell(String waiting, List<HostPort> addresses) {
        if (clock.nanos() - toldNanos >= TELL_EVERY.toNanos()) {
            toldNanos = clock.nanos();
            LOGGER.atInfo()
                    .addMarker(CLUSTER)
                    .addKeyValue(
                            ADDRESS, addresses.stream().map(HostPort::toString).collect(Collectors.joining(",")))
                    .addKeyValue(REASON, reasons(silence))
                    .log(waiting);
        }
    }
}
